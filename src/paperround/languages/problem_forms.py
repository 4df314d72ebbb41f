"""What may be wrong with what a reader gives, and why a page is not there: the forms by which pages
say it in other languages.

Each is written as it is raised, in English, with places where values stand. Tests drive whatever a
form of the site takes, and hold that every sentence is read by one of these.
"""

from paperround.domain.languages import Message, marked, marked_forms

_AROUND: tuple[Message, ...] = (
    marked("line %(at)s: %(problem)s"),
    marked("your search: %(problem)s"),
    marked("the gzip file is broken or goes on after its end (%(name)s): fetch it again"),
    marked("Not valid: %(name)s"),
)
"""What says where the trouble is, around what it is."""

ADDRESSES: tuple[Message, ...] = (
    marked("this is not an e-mail address: it has no @"),
    marked("this is not an e-mail address: it has more than one @"),
    marked("this is not an e-mail address: nothing stands before the @"),
    marked("this is not an e-mail address: nothing stands after the @"),
    marked("this is not an e-mail address: there is a blank in it"),
    marked("this is not an e-mail address: it is too long"),
    marked("this is not an e-mail address: what stands after the @ needs a dot, as in example.org"),
    marked("this is not an e-mail address: write it like name@example.org"),
    marked("no mail reaches anybody at that domain: use another address"),
    marked("this address cannot be mailed: use one like name@example.org"),
    marked("an e-mail address has no quotes, backslashes or control characters"),
    marked(
        "addresses with letters outside ASCII before the @ (SMTPUTF8) are not supported yet: use "
        "another address of yours"
    ),
    marked("the part after the @ mixes alphabets: write it in one"),
    marked(
        "addresses at %(term)s cannot be signed up here: use another one of yours; did you mean "
        "%(name)s?"
    ),
    marked("addresses at %(name)s cannot be signed up here: use another one of yours"),
    marked(
        "addresses at %(term)s are made to be thrown away: use one that you keep; did you mean "
        "%(name)s?"
    ),
    marked("addresses at %(name)s are made to be thrown away: use one that you keep"),
    marked(
        "addresses with a percent sign, !, | or ` before the @ cannot be signed up here: use "
        "another one of yours"
    ),
    marked("that is the address you have"),
    marked("that was asked three times today: try tomorrow"),
)

CHOICES: tuple[Message, ...] = (
    marked("%(given)s is not a date: write it like 2026-01-30"),
    marked("%(given)s is not a week: write it like 2026-W09"),
    marked("%(given)s is not a month: write it like 2026-02"),
    marked("%(given)s is no period: write day, week or month"),
    marked("%(given)s is not a time zone: use a tzdata name such as Europe/Berlin"),
    marked("%(given)s is no place: use a tzdata name such as Europe/Berlin"),
    marked(
        "your choices were saved in another window meanwhile: save again to put these in their "
        "place"
    ),
    marked("%(given)s is not a whole number"),
    marked("%(given)s is not a number"),
    marked("%(given)s is not a score"),
    marked("no mail of ours is in %(given)s: use one of %(name)s"),
    marked("the hour is 0 to 23"),
    marked("a digest holds 1 to %(all)s papers"),
    marked("the floor is a number"),
    marked("a pause lasts a year at most"),
    marked("use daily, weekdays, or weekly:mon (to sun)"),
    marked("choose one list at least"),
    marked("this page has no such button"),
    marked(
        "%(given)s is longer than %(all)s characters or holds characters that cannot be printed"
    ),
    marked(
        "the topic %(given)s is longer than %(all)s characters or holds characters that cannot be "
        "printed"
    ),
    marked("there is nothing in it"),
    marked_forms(
        "%(num)s line in all: %(all)s are enough", "%(num)s lines in all: %(all)s are enough"
    ),
    marked("more than %(all)s words and phrases in all searches: leave some out"),
    marked_forms("%(num)s topic: %(all)s are enough", "%(num)s topics: %(all)s are enough"),
    marked(
        "%(some)s are chosen and there is room for %(all)s: leave some out, or take lines out of "
        "your choices first"
    ),
    marked("say of one paper at least that it is good"),
)

SEARCHES: tuple[Message, ...] = (
    marked("%(some)s characters: %(all)s at most"),
    marked("%(some)s words and phrases: %(all)s at most"),
    marked("it names no word to look for"),
    marked("that names no word to look for: write one that a paper should have"),
    marked("it only says what to leave out: name something to look for as well"),
    marked("nearly every paper has that: add a word that tells, or put it in quotes"),
    marked("a quote opens at character %(at)s and is not closed"),
    marked("the quotes at character %(at)s hold no word"),
    marked("“%(term)s” at character %(at)s needs a word right behind it"),
    marked(
        "“%(term)s” at character %(at)s: write %(name)s in capitals, or put words that belong "
        "together in quotes"
    ),
    marked("a parenthesis closes at character %(at)s that was not opened"),
    marked("a parenthesis opens at character %(at)s and is not closed"),
    marked("more than %(all)s levels deep at character %(at)s"),
    marked("NOT at character %(at)s needs something to leave out"),
    marked("the parentheses at character %(at)s hold nothing"),
    marked("%(term)s at character %(at)s needs something on both sides"),
    marked("a beginning needs two letters before its * at character %(at)s"),
    marked(
        "at character %(at)s, feed: is for the search page: a digest is made from the feeds of its "
        "list"
    ),
    marked(
        "at character %(at)s, %(term)s: is for the search page: a digest is made from new papers"
    ),
)

LIBRARIES: tuple[Message, ...] = (
    marked("paste some lines, choose a file, or name a library"),
    marked("the demo asks nobody on the network: give a file, or paste"),
    marked(
        "write the address of a group, such as zotero.org/groups/12345, or your userID, a number "
        "that zotero.org shows under Settings, Security"
    ),
    marked("there are no works in that library"),
    marked("Zotero answered with something else than a library; export it there and give the file"),
    marked("Zotero has no public library there; make it public, or export it and give the file"),
    marked("Zotero does not answer just now; export the library there and give the file instead"),
    marked("the file is no text: export the library as BibTeX, RIS or CSL-JSON, and give that"),
    marked("it begins like JSON and cannot be read as JSON"),
    marked("this JSON is no CSL-JSON, which is a list of works"),
    marked("the gzip file ends too early: fetch it again"),
    marked("the file unpacks to more than %(all)s bytes: split it"),
    marked("the file is packed twice: unpack it once"),
    marked("the file has no entry such as @article{...}: it is no BibTeX"),
    marked("the entry has no title"),
    marked("it has neither a title nor an identifier"),
    marked("there is neither a title nor an identifier in it"),
    marked("it is too long for a title, or holds characters that cannot be printed"),
    marked("it stands outside of the entries, and names no paper by an identifier"),
    marked(
        "the entry cannot be read: see that its braces and quotes close, and that commas part its "
        "fields"
    ),
    marked("no comma and no # parts the values in %(given)s"),
    marked("the entry is not UTF-8"),
    marked("the entry does not begin with TY"),
    marked("the entry has more than %(all)s characters"),
    marked("a value has more than %(all)s characters"),
)

ELSEWHERE: tuple[Message, ...] = (
    marked("that was a lot of requests from your network: wait a little"),
    marked("another request of yours is still being answered: try again in a moment"),
    marked("Too many people ask for that just now. Please try again in a moment."),
    marked("too many requests from your network: try again in a minute"),
    marked_forms(
        "too many requests from your network: try again in %(num)s minute",
        "too many requests from your network: try again in %(num)s minutes",
    ),
    marked("very many people sign up just now: try again in a minute"),
    marked_forms(
        "very many people sign up just now: try again in %(num)s minute",
        "very many people sign up just now: try again in %(num)s minutes",
    ),
    marked("there is no list %(given)s"),
    marked("no list is called %(given)s; there is %(name)s"),
    marked("There is no such paper here."),
    marked("There is no such mail in the outbox."),
    marked("There is no such part of the site's map."),
    marked("The list %(term)s has no such edition on %(name)s."),
    marked("this feed is not there, or has a new address: look at your choices"),
    marked("Nobody is named here: PAPERROUND_CONTACT is not set."),
    marked("Send the form as application/x-www-form-urlencoded."),
    marked("A request may hold %(all)s bytes."),
    marked("The request ended before its body did."),
    marked("A request must arrive within %(times)s seconds."),
    marked("This may only be sent from our own pages."),
    marked("A request names one host, and a path on it."),
    marked("This server does not serve that host."),
)
"""Why there is no page, and what is turned away before anything is read."""

PROBLEMS: tuple[Message, ...] = (
    *ADDRESSES,
    *CHOICES,
    *SEARCHES,
    *LIBRARIES,
    *ELSEWHERE,
    *_AROUND,
)
"""The first that reads a sentence is the one."""
