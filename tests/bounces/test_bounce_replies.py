"""Replies of many mail servers in many languages: which of them say that an address is gone."""

import pytest

from paperround.bounces.classify import BounceReply, evidence_of
from paperround.delivery.model import Evidence

GONE = """
550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in virtual mailbox table
550 5.1.1 <ada@example.org>... User unknown
550 5.1.1 <full.spam@quota.example>: User unknown
550-5.1.1 The email account that you tried to reach does not exist. Please double-check it
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.org not found by SMTP lookup
550 5.1.1 <ada@example.org>: user does not exist
550 5.1.6 recipient no longer on server: ada@example.org
550 5.1.1 The recipient does not exist on this server
553 5.1.2 Unable to find any host named example.invalid
550 5.1.1 Not our Customer
511 5.1.1 sorry, no mailbox here by that name (chkuser)
550 5.1.1 RCP-P1 The attempted recipient address does not exist.
550 5.1.1 Kein solcher Empfänger: ada@example.org
550 5.1.1 : Destinataire inconnu
550 5.1.1 El usuario no existe
550 5.1.1 指定されたメールアドレスは存在しません
550 5.1.3 <ada@example..org>: bad destination mailbox address
556 5.1.10 <ada@example.org>: Recipient address rejected: Domain accepts no mail (nullMX)
550 5.1.1 unknown or illegal alias: ada@example.org
550 5.1.1 Mailbox does not exist!
550 sorry, no such mailbox here (#5.1.1)
550 5.1.1 Address unknown
550 5.1.1 unknown user account
550 5.1.10 RESOLVER.ADR.RecipientNotFound; recipient not found by SMTP address lookup
550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found
550 5.1.2 domain not found
5.1.2 - Bad destination host 'DNS Hard Error looking up example.invalid (MX): NXDomain'
550 5.1.1 <ada@example.org> recipient rejected: no such address in our system
550 5.1.1 This mailbox does not exist. Please check the spelling.
550 5.1.1 Recipient is unknown (in reply to RCPT TO command)
550 5.1.1 Unbekannter Empfänger
"""
"""A code that names the address, from the server itself."""

LIKELY = """
550 Unrouteable address
550 No Such User Here
550 unknown local part "ada" in "<ada@example.org>"
all relevant MX records point to non-existent hosts
Unrouteable mail domain "example.invalid"
an MX or SRV record indicated no SMTP service
Sorry, no mailbox here by that name.
Sorry, I couldn't find any host named example.invalid.
This address no longer accepts mail.
User ada (ada@example.org) not listed in Domino Directory
User not listed in public Name & Address Book
No match was found for the recipient in the directory
550 Invalid recipient: <ada@example.org>
550 Invalid Recipient - https://help.example.com/codes#550
550 permanent failure for one or more recipients (ada@example.org:550 no such recipient)
Invalid final delivery userid: ada
550 Requested action not taken: mailbox unavailable or not local
550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)
550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [mx.example.com]
550 5.4.310 DNS domain example.invalid does not exist [Message=InfoDomainNonexistent]
550 5.1.351 Remote server returned unknown recipient or mailbox unavailable
The email address you entered couldn't be found.
DNS type 'mx' lookup of example.invalid responded with code NXDOMAIN: Domain name not found
554 delivery error: dd This user doesn't have an example.com account (ada@example.com) [0]
550 Message was not accepted -- invalid mailbox. Local mailbox ada@example.ru is unavailable
550 5.7.1 No such user!
550 Mailbox not found. http://service.example.com/help?id=1000
550 The recipient may contain a non-existent account, please check the recipient address.
550 User not found: ada@example.com
550 #5.1.0 Address rejected.
550 5.1.0 ada@example.org address rejected
551 User not local; please try <ada@example.net>
551 The user has moved to ada@example.net
550 Account closed
550 This account has been deleted
550 the mailbox you are trying to reach was terminated by its owner
550 ada@example.org is not a valid mailbox
550 Cannot find user ada
550 Unable to locate recipient
550 Unrecognized recipient
550 That e-mail address isn't registered at this host
550 Undefined mail alias
Reason 1 (Unable-To-Transfer); Diagnostic 0 (Unrecognised-OR-Name)
The person you wrote to is no longer with this company; the mailbox was removed
Host unknown (Name server: mx.example.invalid: host not found)
getaddrinfo: example.invalid: Name or service not known
550 Nonexistent domain example.invalid
The recipient's mail system has no MX records: domain example.invalid not registered
550 Dieser Benutzer existiert nicht
550 Die Empfängeradresse ist ungültig
Der angegebene Empfänger wurde nicht gefunden.
Dieses Postfach gibt es nicht mehr
Die Domain example.invalid existiert nicht
550 Cette adresse n'existe pas
550 Boîte aux lettres inexistante
L'utilisateur est introuvable dans l'annuaire
Le domaine du destinataire n'existe pas
550 El buzón no existe
La dirección de correo no es válida
550 No se encontró el destinatario
El dominio example.invalid no existe
550 Usuário inexistente
550 O endereço não foi encontrado
Esta conta não existe mais
550 utente sconosciuto
La casella di posta non esiste
L'indirizzo del destinatario non è stato trovato
Il dominio non esiste
550 Gebruiker onbekend
550 unregistered user
550 등록되지 않은 사용자
550 Nie znaleziono odbiorcy
Het e-mailadres bestaat niet
De ontvanger kon niet worden gevonden
550 Nieznany użytkownik
Adres odbiorcy nie istnieje
550 Nie ma takiego użytkownika
550 Пользователь не найден
Почтовый ящик не существует
550 Нет такого пользователя
Получатель неизвестен
Домен example.invalid не найден
受信者のメールアドレスが見つかりませんでした
550 宛先不明
このアカウントは現在使用されていません
宛先のドメインが存在しません
550 用户不存在
550 收件人地址无效
您要投递的邮箱账号不存在,请核实
該收件者不存在
找不到收件人的域名
550 존재하지 않는 사용자입니다
받는 사람의 계정을 찾을 수 없습니다
수신자 주소가 존재하지 않습니다
550 RCPT TO:<ada@example.org> User unknown
550 Requested action not taken: user does not exist
554 Recipient address does not exist
550 Invalid mailbox
550 ada@example.org is not a known user
550 <ada@example.org> is not a valid user here
550 ada@example.org ... recipient not valid
550 Recipient not found.
550 not a registered user
550 No such account
550 We have no user by that name
550 There is no such user at this host
550 There's no account with that name
550 There is no one here by that name
550 unknown recipient <ada@example.org>
550 email address not found
550 address does not exist
550 sorry, that recipient doesn't exist (#5.7.1)
550 Rejected: user ada not known in this domain
550 Recipient no longer exists
550 User has left the company
550 Email account has been closed
550 mailbox is no longer in use
550 Ada Example is no longer an employee
550 this user no longer works here
550 account not available
550 Mailbox not available
550 User account does not exist in LDAP directory
550 Directory lookup: no entry found for recipient
550 RecipNotFound
The domain example.invalid could not be found in DNS
ada wasn't found at example.org
The email system had a problem processing this message: Unknown To address
Unknown user: ada@example.org
User unknown; rejecting
The following recipients are unknown: ada@example.org
Recipient(s) unknown
ada@example.org: Name unknown
X-Notes; Recipient's Domino Directory entry does not specify a valid Notes mail file
550 No valid recipient
554 No such recipient
550 Bad recipient address
550 Illegal user name
Empfänger existiert nicht auf diesem Server
Der Empfänger ada@example.org konnte nicht gefunden werden
Diese E-Mail-Adresse ist uns nicht bekannt
Die von Ihnen angegebene E-Mail-Adresse wurde nicht gefunden
Benutzer hat kein Konto bei uns
Diese E-Mail-Adresse wird nicht mehr verwendet
Ce compte n'existe plus
L'adresse de messagerie que vous avez entrée est introuvable.
Aucun utilisateur à cette adresse
Cet utilisateur n'est pas connu
Adresse d'au moins un destinataire invalide. Invalid recipient.
La cuenta de correo no existe o fue eliminada
No se encuentra la dirección de correo
Destinatario no válido
Usuario no encontrado
Destinatário desconhecido
O usuário não existe
Endereço de e-mail inválido
Indirizzo inesistente
Account inesistente
L'utente non è stato trovato
Destinatario sconosciuto
Onbekende ontvanger
Deze gebruiker bestaat niet
Het adres kan niet worden gevonden
Taki użytkownik nie istnieje
Konto nie istnieje
Adresat nieznany
Такого пользователя не существует
Адрес не существует
Пользователь с таким адресом не зарегистрирован
ユーザーが見つかりません
メールアドレスが無効です
そのようなユーザーはいません
あて先のメールアドレスが間違っています
邮箱地址不存在
收件人不存在
用户未找到
無此使用者
查无此用户
账号不存在或已注销
없는 계정입니다
받는 사람 주소를 찾을 수 없습니다
알 수 없는 수신자
550 Mailbox for ada@example.org does not exist here
550 No such recipient here
550 Recipient refused: mailbox is not found
554 ada@example.org: mailbox not found
550 Intended recipient is not a user of this system
550 The user you are trying to contact does not exist on this system
550 Address does not resolve to a mailbox
550 not our user
550 Unknown e-mail account
550 does not like recipient: unknown user
550 5.4.4 Host not found
550 Domain has been deleted or does not exist
5.4.4 (unable to route: no mail hosts for domain)
unable to look up host example.invalid: Unknown host
DNS Error: Domain name not found
550 The domain of the recipient is not known
Host example.invalid does not exist
This domain does not exist: example.invalid
The recipient's domain name could not be resolved: NXDOMAIN
550 This e-mail address is no longer valid
550 that user was deleted
550 User terminated
550 Unknown or non-existent user
Mail receiver is unknown
There was no such user on the local system
Der Empfänger ist hier nicht bekannt
Empfängerpostfach nicht vorhanden
Die Mailadresse ist nicht korrekt oder existiert nicht
Diese Adresse gibt es bei uns nicht
La boîte mail n'existe pas ou plus
Utilisateur inconnu
Adresse e-mail du destinataire incorrecte ou inexistante
Domaine inconnu
La casilla de correo no existe
Dirección desconocida
Cuenta inexistente
Usuário não encontrado
A conta de e-mail não existe
Domínio não encontrado
L'indirizzo email specificato non esiste
Utente non trovato
Nessun utente con questo nome
Geadresseerde onbekend
Gebruiker bestaat niet meer
Dit account bestaat niet
Użytkownik nie istnieje
Skrzynka nie została znaleziona
Brak takiego użytkownika
Адресат не найден
Учетная запись не существует
Пользователя с таким именем нет
該当するユーザーが存在しません
送信先のアドレスが見つかりませんでした
メールアドレスは使われておりません
邮箱用户不存在
没有此用户
信箱不存在
該用戶不存在
该邮箱已注销
해당 사용자가 없습니다
이메일 주소가 없습니다
"""
"""Words alone: it takes two such emails on different days."""

PASSING = """
552 5.2.2 The recipient's inbox is out of storage space
552 5.2.2 User's mailbox is over quota
550 5.1.1 ada@example.org mailbox full, user unknown to spooler
452 4.2.2 The email account that you tried to reach is over quota
554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException
522 recipient's mailbox has exceeded its maximum size
550 User has no space left for new mail
Error message: the account does not exist or its disk quota is exceeded
550 5.2.1 The email account that you tried to reach is disabled
554 delivery error: dd This mailbox is disabled (554.30)
550 User suspended
550 Account is inactive
550 5.2.1 mailbox is locked
554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org
550 5.7.1 Our system has detected that this message is likely unsolicited mail
550 5.7.1 Message rejected due to local policy, user not found in allow list
554 5.7.1 <ada@example.org>: Relay access denied
553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; Delivery not authorized
550 5.7.23 The message was rejected because of Sender Policy Framework violation
550-5.7.26 This mail has been blocked because the sender is unauthenticated
550 5.7.515 Access denied, sending domain papers.example does not meet the required level
550 5.1.8 <papers@example.net>: Sender address rejected: Domain not found
553 5.1.8 Domain of sender address papers@example.net does not exist
550 Verification of your address failed: no such user
550 Your domain does not exist
504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname
550 Cannot find your hostname; reverse DNS lookup failed
450 4.7.25 Client host rejected: cannot find your hostname
451 4.7.1 Greylisting in action, please come back later; user not yet known
450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted
451 Temporary local problem: user could not be looked up
550 5.1.1 temporary lookup failure, user not found
550 user lookup temporarily failed: address not found
450 4.1.1 <ada@example.org>: Recipient address rejected: unverified address
421 4.7.0 Try again later, closing connection
554 5.4.6 Too many hops, loop detected for recipient
550 5.4.14 Hop count exceeded - possible mail loop: recipient not found
552 5.3.4 Message size exceeds fixed limit
552 5.2.3 Message exceeds the maximum size that the recipient's mailbox takes
554 5.6.0 Message content rejected
550 5.7.1 virus found in message; user not notified
550 Message rejected: attachment type not allowed for this recipient
554 5.7.9 Message not accepted for policy reasons
550 High probability of spam
554 Blocked - see https://ipcheck.example.com/?ip=192.0.2.1
550 Rejected by header based manually blocked senders
550 Administrative prohibition
connect to mx.example.org[192.0.2.1]:25: Connection refused
connect to mx.example.org[192.0.2.1]:25: No route to host
retry timeout exceeded
host lookup did not complete
CNAME lookup failed temporarily. (#4.4.3)
DNS type 'mx' lookup of example.org responded with code SERVFAIL; domain not found
Host or domain name not found. Name service error for name=example.org: Host not found, try again
Delivery expired, message too old: recipient's server not found to be answering
554 5.3.0 user unknown or mailbox on hold for maintenance, temporarily
550 permanent failure for one or more recipients (ada@example.org:blocked)
550 Das Postfach ist voll
552 Der Speicherplatz des Empfängers ist erschöpft, Nachricht nicht gültig
550 Nachricht als Spam erkannt, Empfänger nicht gefunden
451 Vorübergehender Fehler: Empfänger nicht gefunden
550 Could not find the account of the sender
550 Der Absender ist unbekannt
550 mail from unknown host rejected
550 Your host does not exist in DNS
550 Mailbox size limit reached
Die Adresse des Absenders existiert nicht
Das Benutzerkonto ist gesperrt
552 La boîte du destinataire est pleine
550 L'adresse de l'expéditeur n'existe pas
451 Erreur temporaire : adresse introuvable
550 Message refusé : contenu indésirable, destinataire inconnu
552 El buzón del usuario está lleno
550 La cuenta ha excedido su cuota, dirección no válida
550 El remitente no existe
451 Error temporal, inténtelo más tarde: usuario desconocido
552 A caixa postal do usuário está cheia
550 Remetente inexistente
451 Falha temporária, destinatário não encontrado
552 La casella dell'utente è piena
550 Il mittente non esiste
550 Spazio esaurito: indirizzo non valido
552 Het postvak van de gebruiker is vol
550 Afzender onbekend
451 Tijdelijke fout: gebruiker niet gevonden
552 Skrzynka odbiorcy jest pełna
550 Nadawca nie istnieje
451 Tymczasowy błąd: nieznany użytkownik
552 Почтовый ящик получателя переполнен
550 Отправитель не существует
451 Временная ошибка: пользователь не найден
550 Письмо похоже на спам, адрес не найден
552 受信者のメールボックスがいっぱいです
550 送信者のアドレスが存在しません
451 一時的なエラー: ユーザーが見つかりません
550 迷惑メールと判定されました。宛先不明
552 收件人邮箱已满
550 发件人地址不存在
451 系统繁忙,请稍后再试: 用户不存在
550 垃圾邮件,收件人不存在
552 수신자의 메일함 용량이 초과되었습니다
550 보낸 사람의 주소가 존재하지 않습니다
451 일시적인 오류: 사용자를 찾을 수 없습니다
550 스팸으로 차단되었습니다: 사용자를 찾을 수 없습니다
The recipient could not be reached. This may be because the address is invalid.
If the address does not exist, please contact your administrator.
550 5.7.1 Recipient not authorized, your IP has been found on a block list
550 Sender verify failed: no such user here
550 Your message was not delivered: recipient's mail filter rejected it
550 5.7.1 You are not allowed to send to this recipient
554 5.7.1 Recipient address rejected: Access denied due to policy
550 user over quota, account cannot be found in active store
552 User's inbox is full
550 message for ada@example.org would exceed mailbox quota
451 4.3.0 Mail server temporarily rejected message
550 Spammers are unknown users here
554 Transaction failed: unexpected end of data
550 Mailbox is frozen. See http://mail.example.com
550 Recipient has disabled mail receiving
554 The message was rejected because it contains prohibited virus
550 4.4.7 queue.expired; message expired
550 5.0.350 Remote server returned an error
Unable to deliver message for 5 days; host not responding
The recipient server did not accept our requests to connect
550 5.4.300 Message expired -> 451 4.4.0 DNS query failed
550 5.6.0 Lone CR or LF in headers; recipient not checked
550 5.1.1 Mail refused, too many messages to unknown users
550 5.7.606 Access denied, banned sending IP
550 IP address is not in the user's allow list
Ваше письмо заблокировано: отправитель неизвестен
550 接收者拒收您的邮件
550 信件內容被拒
554 error de autenticación del usuario: contraseña no válida
550 5.7.1 Recipient is not accepting messages from your domain
550 Sender's mailbox unavailable
550 Recipient's server unavailable, please retry
452 Requested action not taken: insufficient system storage
550 sorry, your envelope sender domain must exist (#5.7.1)
550 unknown sender in address book of user
554 Message refused by Mailwasher: recipient's rule
550 5.7.0 Local policy violation
550 Mail rejected by Windows Live Hotmail for policy reasons
550 DMARC: unauthenticated email from example.net is not accepted
550 too many invalid recipients
421 4.7.28 unusual rate of mail; user list not found
Das Limit des Postfachs wurde erreicht
Boîte aux lettres saturée
Bandeja de entrada llena
A caixa de entrada está lotada
La casella ha superato lo spazio
Postvak heeft limiet bereikt
Ящик отключен
邮箱空间不足
메일박스가 가득 찼습니다
メールボックスの容量が不足しています
連続送信のため一時的に拒否: ユーザー不明
Could not deliver within the retry period
Adresse IP inconnue
Message header address field is invalid
501 Syntax error in parameters or arguments: bad address
550 the recipient does not accept attachments
550 The account does not allow mail from strangers
"""
"""Full, at rest, blocked, for now, or about us, whatever else is said with it."""


def judged(reply: str) -> Evidence:
    return evidence_of(BounceReply(said=reply))


def rows(table: str) -> list[str]:
    return table.strip().splitlines()


@pytest.mark.accept("Q11", part="replies")
@pytest.mark.parametrize("reply", rows(GONE))
def test_a_code_that_names_the_address_means_it_is_gone(reply: str) -> None:
    assert judged(reply) is Evidence.GONE


@pytest.mark.accept("Q11", part="replies")
@pytest.mark.parametrize("reply", rows(LIKELY))
def test_words_alone_mean_it_is_likely_gone_in_any_language(reply: str) -> None:
    assert judged(reply) is Evidence.LIKELY_GONE


@pytest.mark.accept("Q11", part="replies")
@pytest.mark.parametrize("reply", rows(PASSING))
def test_a_soft_sign_keeps_the_reader_whatever_else_is_said(reply: str) -> None:
    assert judged(reply) is Evidence.PASSING
