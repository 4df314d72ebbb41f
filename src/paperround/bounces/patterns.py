"""Patterns of mail servers' replies, as word stems in a dozen languages.

A person word near an absence word means that the address has no mailbox: "user unknown", "keine
solche Adresse", "邮箱不存在". The tables contain parts of sentences, never whole ones, so that
replies of unknown servers match as well. Patterns have no accents: they match `folded` text.
"""

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]")
_ADDRESS = re.compile(r"[^\s<>@:;,\"'()]{1,64}@[\w.-]{1,253}")


def folded(text: str) -> str:
    """Return the text on one line, without accents and wide letters. Addresses become x@y: a name
    such as full@ or spam@ means nothing."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).replace("’", "'")
    return _ADDRESS.sub("x@y", " ".join(unicodedata.normalize("NFC", plain).split()))


def _any(*phrases: str) -> str:
    return "|".join(f"(?:{phrase})" for phrase in phrases)


def _pattern(*phrases: str) -> re.Pattern[str]:
    return re.compile(_any(*phrases), re.IGNORECASE)


_PERSON = _any(
    r"\b(?:user(?:id|name)?|recipient|mailbox|account|address(?:ee)?|alias|inbox|customer)s?\b",
    r"\b(?:subscriber|receiver|local[- ]?part|or-name|person)\b",
    r"empf.{1,2}nger|adress|benutzer|nutzer|teilnehmer|postfach|konto",
    r"destinata[ir]|utilisateur|\bcompte\b|\bboite\b|abonne\b",
    r"usuari|direccion|cuenta\b|buzon|casilla",
    r"utilizador|endereco|\bconta\b|\bcaixa\b",
    r"utent[ei]|indirizz|casell[ae]",
    r"gebruiker|ontvanger|\b(?:e-?mail)?adres\b|postvak",
    r"uzytkownik|odbiorc|\badres|\bkont[oa]\b|skrzynk",
    r"пользовател|получател|адрес|ящик|аккаунт|учетн",
    r"宛先|受信者|ユーザ|アドレス|アカウント|メールボックス",
    r"收件[人者]|收信人|用[户戶]|使用者|[帐账帳][号號户戶]|[邮郵]箱|信箱|地址",
    r"사용자|수신[자인]|받는 ?사람|계정|주소|메일함|편지함",
)
_HOST = _any(
    r"\b(?:host|domain)(?:name|es?|s)?\b",
    r"domini|domein|domen[ay]?\b|домен|ドメイン|域名|[网網]域|도메인",
)
_NOT = r"(?:\bnot|n't|\bcannot|\bnever)(?: \w+){0,2}? "
_ABSENT = _any(
    _NOT
    + r"(?:exist|found|find|locate|known|listed|recogni[sz]ed|valid\b|registered|defined|hosted"
    r"|(?:an?|our) (?:\w+ )?(?=user|customer|member|mailbox|recipient|account)"
    r"|a (?:valid|known|registered|local)|local\b|in (?:our|the|this) )",
    r"\b(?:unable|failed) to (?:find|locate)|\bno (?:such|match|entry)|\bno longer\b",
    r"\b(?:unknown|unregistered|unrecogni[sz]ed|non-?existent|inexistent|undefined|unroute?able)\b",
    r"unbekannt|nicht (?:mehr )?(?:gefunden|bekannt|vorhanden|existent|gultig|registriert)",
    r"existiert (?:\w+ )?nicht|nicht (?:mehr )?existier|ungultig|gibt es (?:\w+ ){0,3}?nicht",
    r"\bkeine?n? (?:solche|gultige|konto|postfach)|nicht mehr (?:verwend|genutzt|aktiv)",
    r"\baucune? ",
    r"inconnu|inexistant|introuvable|n'existe"
    r"|(?:pas|plus) (?:ete |pu etre )?(?:trouve|valide|connu|reconnu)",
    r"invalide\b|desconocid|inexistente"
    r"|\bno (?:se )?(?:ha )?(?:sido )?(?:existe|encontr|encuentra)",
    r"\bno (?:es |son )?valid|invalid[oa]\b|desconhecid"
    r"|\bnao (?:foi |pode ser )?(?:existe|encontrad)",
    r"\bnao (?:e )?(?:mais )?(?:valid|cadastrad|localizad)",
    r"\bnessun|sconosciut|inesistent|\bnon (?:e' |e )?(?:stat[oa] )?(?:esiste|trovat|valid)",
    r"onbekend|bestaat (?:\w+ )?niet"
    r"|niet (?:\w+ )?(?:\w+ )?(?:gevonden|bekend|geldig|bestaan)|ongeldig",
    r"nieznan|nie (?:zosta\w+ )?(?:istniej|znalezion|odnalezion|ma tak)|brak tak|nieprawid[lł]ow",
    r"неизвест|(?<!\w)не (?:\w+ )?(?:наиден|существу|зарегистр|обнаруж)|несуществ"
    r"|(?<!\w)нет такого|именем нет",
    r"недеиствит|неверн",
    r"不明|見つかり?ま?せ|見つからな|見つけられ|存在しま?[せな]|無効|使用されてい(?:ません|ない)|[はが]いません|おりません|間違",
    r"不存在|未知|找不到|[无無]效|不正[确確]|[没沒]有(?:找到|[此该該])|已[注註][销銷]|未找到|未注[册冊]|[无無]此",
    r"존재하지|등록되지|찾을 수 ?없|찾지 못|알 수 없는|없는 ?(?=사용자|계정|주소|메일|수신)",
    r"유효하지|잘못된",
)
_BAD = r"\b(?:invalid|illegal|bad|incorrect|wrong)\b"
_GONE = r"\b(?:closed|deleted|removed|terminated|discontinued|cancell?ed|moved to|has left)\b"
_AMONG = r".{0,60}?"


def _near(one: str, other: str) -> str:
    return f"(?:{one}){_AMONG}(?:{other})|(?:{other}){_AMONG}(?:{one})"


NO_SUCH_USER = _pattern(
    _near(_PERSON, _ABSENT),
    rf"{_BAD}\W+(?:\w+\W+){{0,3}}?(?:{_PERSON})",
    rf"(?:{_PERSON})(?: \S+@\S+)? (?:(?:is|was|has been|appears to be|seems) )?{_BAD}(?!:? \w)",
    rf"(?:{_PERSON})(?: \S+@\S+| you \w+ trying to reach)? (?:(?:is|was|has|been|have) )*{_GONE}",
    rf"\bno (?:{_PERSON}) (?:here|by that|with that|exists?|found)",
    r"(?:사용자|계정|주소|수신자)[가이는은] 없습니다",
    r"@\S{1,200} (?:doesn't|does not) exist",
    rf"\S@\S{{1,200}} (?:is )?{_NOT}(?:exist|a valid|found|known)",
    r"(?:doesn't|does not) have an? .{0,60}account",
    r"recip(?:ient)?notfound|\bname unknown",
    r"address rejected\W*(?:$|\S+@)|@\S{1,200} address rejected",
    r"recipient address rejected\W*(?:$|access denied)",
    r"no longer (?:(?:accept|receiv)\w* (?:e?-?mail|message)|(?:an?|work\w*|with|at|employed)\b)",
    r"\b(?:mailbox|account|user|recipient|address) (?:is )?(?:not |un)available",
    r"(?:wasn't|was not) found (?:at|in|on) |(?:\bno|n't|\bnot)\b.{0,30}? by that name",
)
"""The address has no mailbox. Matched against one sentence at a time."""

NO_SUCH_HOST = _pattern(
    _near(_HOST, _ABSENT),
    rf"{_BAD} (?:\w+ )?(?:{_HOST})",
    r"(?:couldn't|could not|can't|cannot|unable to) find (?:any host|a mail exchanger|any mail)",
    r"name or service not known|nxdomain"
    r"|no (?:valid )?(?:mx|mail exchange)\w* (?:record|host|found)",
    r"(?:doesn't|does not|no longer) accepts? (?:any )?mail(?! from)|accepts no mail",
    r"no (?:smtp|mail) service|no mail ?hosts?|null ?mx|domain is (?:not |un)reachable",
)
"""The domain does not exist or accepts no mail. Matched against one sentence at a time."""

SENDER = _pattern(
    r"\bsend(?:er|ing)\b|\bmail ?from\b|\bfrom (?:address|domain|header)"
    r"|(?:return|reverse)[- ]?path",
    r"\byour (?:e-?mail )?(?:address\b(?! book)|account|domain|server|host|ip\b)",
    r"\bclient\b|(?<!or )\bip\b|\b(?:helo|ehlo)\b|\bcredential|\bpassword",
    r"absender|expediteur|emetteur|remitente|remetente|mittente|afzender|nadawc|отправител",
    r"送信[元者]|差出人|[发發]件[人者]|寄件[人者]|[发發]送[人者]|보낸|보내는|발신|송신",
    r"(?:error|erreur|erro|errore|fehler|fout|bład|ошибк\w) (?:\w+ )?"
    r"(?:unknown|inconnue|desconoc|desconhec|sconosc|неизвест)",
    r"(?:unknown|unbekannter|onbekende|nieznany|неизвестная|不明な|未知|알 수 없는) ?"
    r"(?:error|reason|fehler|grund|fout|b[lł]ad|ошибка|エラー|[错錯][误誤]|오류)",
)
"""The sentence calls someone or something else unknown."""

GUESSED = _pattern(
    r"\b(?:if|whether|in case|may (?:be|have|not|no longer)|might|possibl[ey]|perhaps|probably)\b",
    r"\bplease (?:check|verify)\b",
    r"\b(?:falls|moglicherweise|eventuell|vielleicht|peut-etre|peut etre|puede|podria|quizas?)\b",
    r"\bsi (?:l|el|la|le|su|votre|vous)\b|\b(?:talvez|pode ser|caso|forse|potrebbe|misschien)\b",
    r"\b(?:indien|mogelijk|moze|jesli|возможно|если)\b|可能|もし|場合|[如若]果|만약|경우|수도 있",
)
"""The sentence only guesses at a reason."""

FULL = _pattern(
    r"quota|\bcuota|\bcota\b|kontingent|квот",
    r"\bfull\b(?! ?(?:name|text|header|detail|report|url|address|message|explan|list|domain))",
    r"insufficient (?:disk|system|storage)|(?:not enough|no) (?:\w+ )?(?:disk|storage|space|room)",
    r"out of (?:\w+ )?(?:disk|storage|space)|over (?:its |the )?(?:limit|size)|too much mail",
    r"exceed(?:s|ed|ing)? (?:its |the |his |their )?(?:\w+ )?(?:storage|size|limit)|storage limit",
    r"\b(?:uber)?voll\b|uberfullt|speicherplatz|uberschritten",
    r"\b(?:pleine?|satur|llen[oa]|chei[ao]|lotad[ao]|pien[ao]|vol|volle|overvol|pe[lł]n[aey])\b",
    r"espace (?:disque|insuff)|depass|\bespacio|excedid|excede\b|espaco|spazio|esaurit|superat[oa]",
    r"opslag|overschred|przepe[lł]nion|przekroczon|brak mieisca|brak miejsca",
    r"переполн|заполнен|превыш|недостаточно мест|нет мест",
    r"容量|[一い]っ?ぱい|一杯|満杯|超過|超え|[满滿]|超[过過出]|配[额額]|空[间間]不足",
    r"초과|용량|가득|꽉",
)
"""The mailbox exists, but is full."""

ABOUT_US = _pattern(
    r"\bspam|unsolicited|\bjunk\b|\bbulk\b|\bblock(?:ed|list\w*|ing)?\b|black ?list|dnsbl|\brbl\b",
    r"\bspf\b|\bdkim\b|\bdmarc\b|domainkeys|authenticat|autentic|\bauth(?:required|ori[sz]ed)",
    r"reverse (?:dns|mapping)|\bptr\b|mismatches client|polic(?:y|ies)|security reason",
    r"rela(?:y|ying) (?:access )?(?:denied|not|prohib)|(?:permitted|allowed|unable) to relay"
    r"|rcpthosts",
    r"virus|malware|\bcontents?\b|attachment|reputation|banned|denied by|prohibition",
    r"(?:domain of )?sender (?:address|domain|verif|is|id)|mail from",
    r"client host|\bip\b.{0,20}(?:limit|deni|reject)|\byour (?:ip|domain|address\b(?! book))",
    r"syntax error|message (?:is )?(?:size|too)|header(?!s?(?: |-)(?:field|info))|rate limit"
    r"|frequency|preference",
    r"not allowed to send|permission|sending limit",
    r"not accept\w* (?:any )?(?:e?mail|messages?) from",
    r"richtlinie|blockiert|politique|indesirable|liste noire|politica|bloquead|lista negra",
    r"indesead|bloccat|geblokkeerd|beleid|polityk|zablokowan|политик|блокир|спам|запрещ",
    r"迷惑メール|スパム|ポリシー|ブロック|垃圾|策略|黑名[单單]|[频頻]率|스팸|정책|차단",
)
"""The reply is about the sender, the message or the connection, not about the address."""

OUR_ADDRESS = _pattern(
    rf"(?:{SENDER.pattern}).{{0,25}}(?:reject|denied|refus|unauth|verif|invalid|{_ABSENT})",
    rf"(?:unknown|invalid|bad|unauthori[sz]ed) (?:{SENDER.pattern})",
    r"envelope[- ]from|(?:return|reverse)[- ]?address",
    r"call ?(?:back|out)\b|too many (?!hops)",
)
"""The reply is about the address or machine of the sender, which is then the unknown one, not the
reader. Servers that verify our address by callout quote the reply, code included."""

TEMPORARY = _pattern(
    r"tim(?:ed|e)[ -]?out|temporar|gr[ae]y-?list|(?:come back|try|retry)(?: again)? later",
    r"connection (?:refused|lost|reset)|lost connection|\bno route to\b|too many hops|hop count",
    r"\bloop(?:s|ed|ing)?\b|service (?:is )?(?:un|not )available|no answer|servfail|\bbusy\b",
    r"\bdelay(?:ed)?\b|not yet|expired|too old|not found,? try again|maintenance",
    r"vorubergehend|\bspater\b|temporaire|plus tard|temporal|mas tarde|mais tarde|temporane",
    r"piu tardi|tijdelijk|probeer het later|tymczasow|pozniej|временн|позже",
    r"一時的|後ほど|時間をおいて|[稍暂暫][后後时時]|[临臨][时時]|繁忙|일시|나중에|잠시",
)
"""The failure is temporary."""

ADVICE = _pattern(r"try again|\blater\b")
"""It suggests another attempt, which means little by itself."""

DISABLED = _pattern(
    r"suspend|suspens|disabled|inactiv(?!e e-?mail address)|deactivat|not (?:currently )?active",
    r"\blocked|on hold|frozen|gesperrt|deaktiviert|desactiv|desativ|sospes|disattivat"
    r"|gedeactiveerd|uitgeschakeld",
    r"zablokowan|zawieszon|отключ|приостан|неактив|停止|冻结|凍結|停用|禁用|정지|휴면",
)
"""The account is disabled for now."""
