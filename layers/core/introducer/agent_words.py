"""The words that :mod:`introducer.agents` knows browsers, devices, previews and robots by.

They are general on purpose: what robots call themselves, not a list of robots. All but
the first two groups are in lower case. Each is short, since what is rare costs most here.
"""

from __future__ import annotations

# ---- an ordinary browser

BEGINNINGS = (
    "Mozilla/5.0 (Windows NT ",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X ",
    "Mozilla/5.0 (iPhone; CPU iPhone OS ",
    "Mozilla/5.0 (iPad; CPU OS ",
    "Mozilla/5.0 (Linux; Android ",
    "Mozilla/5.0 (Linux; U; Android ",
    "Mozilla/5.0 (Android ",
    "Mozilla/5.0 (X11; ",
)
PRODUCTS = frozenset(
    "AppleWebKit (KHTML, like Gecko) Gecko Chrome Safari Version Mobile Firefox Edg EdgA EdgiOS"
    " Edge OPR OPT OPiOS CriOS FxiOS GSA SamsungBrowser YaBrowser Yowser UCBrowser Vivaldi Brave"
    " DuckDuckGo Ddg MiuiBrowser HuaweiBrowser HeyTapBrowser VivoBrowser Silk Ubuntu Chromium"
    " Focus Klar Whale QQBrowser MQQBrowser Instagram".split()
)
ODD = ("bot", "crawl", "spider", "scan", "http", "www", "@", ".com", "compatible")
"""What is never in the platform of an ordinary browser."""

# ---- pictures of links in messages

PREVIEWS = (
    *("facebookexternalhit", "facebot", "facebookcatalog", "twitterbot", "slackbot", "discordbot"),
    *("slack-imgproxy", "telegrambot", "skypeuripreview", "bingpreview", "microsoftpreview"),
    *("linkedinbot", "redditbot", "pinterestbot", "vkshare", "iframely", "embedly", "embed php"),
    *("bitlybot", "cardyb", "kakaotalk-scrap", "google web preview", "google-pagerenderer"),
    *("googleimageproxy", "yahoomailproxy", "contenttabreceiver", "flipboardproxy"),
    *("link preview", "linkpreview", "link-preview", "url preview", "urlpreview", "unfurl"),
    *("opengraph", "open graph", "oembed", "snap url", "page renderer"),
)
MESSENGERS = (
    *("whatsapp/", "viber", "line/", "snapchat", "signal-", "zoom", "mastodon", "misskey"),
    *("pleroma", "akkoma", "synapse", "mattermost", "rocket.chat", "nextcloud", "friendica"),
    *("tumblr", "hubzilla", "lemmy", "element", "teams", "skype", "kakaotalk"),
)
"""What begins with these is no browser in the app, which would begin with ``Mozilla``."""

# ---- machines

HEADLESS = (
    *("headless", "phantomjs", "slimerjs", "puppeteer", "playwright", "selenium", "webdriver"),
    *("cypress", "lighthouse", "pagespeed", "page speed", "speed insights", "ptst", "zombie.js"),
    *("splash", "jsdom", "htmlunit", "prerender", "wkhtml", "cutycapt", "casperjs", "nightmare"),
)
TOOLS = (
    *("curl", "wget", "python", "urllib", "aiohttp", "httpx", "java/1", "java/2", "java1"),
    *("jakarta", "okhttp", "go-http", "go http", "fasthttp", "axios", "node-fetch", "node.js"),
    *("superagent", "undici", "libwww", "lwp:", "lwp-", "lwp/", "faraday", "typhoeus", "mechanize"),
    *("guzzle", "zend_http", "httpclient", "http-client", "http client", "http_client"),
    *("http_request", "http-request", "httprequest", "http.rb", "httpurlconn", "httpie", "postman"),
    *("insomnia", "powershell", "winhttp", "restsharp", "unirest", "reactornetty", "restclient"),
    *("rest-client", "snoopy", "indy library", "lua-resty", "libsoup", "libfetch", "coldfusion"),
    *("cfschttp", "dart:io", "simplepie", "magpie", "httrack", "webcopier", "webzip", "teleport"),
    *("offline explorer", "wininet", "siege", "openvas", "nikto", "sqlmap", "masscan", "zgrab"),
)
ROBOT_ENDINGS = (
    *("bot", "bots", "crawler", "crawlers", "crawl", "spider", "spiders", "spyder", "scraper"),
    *("fetcher", "fetch", "slurp", "checker", "monitor", "monitoring", "scanner", "validator"),
    *("verifier", "indexer", "archiver", "harvester", "extractor", "grabber", "analyzer"),
    *("analyser", "inspector", "aggregator", "preview", "screenshot", "thumbnail", "thumbnails"),
    *("thumbshots", "favicon", "favicons", "sitemap", "sitemaps", "feedreader", "prober"),
    *("tester", "watchdog", "resolver", "collector", "sniffer", "linkcheck", "sitecheck"),
    *("webcheck", "uptime", "research", "survey", "archive", "rambler", "daumoa", "translate"),
)
ROBOT_BEGINNINGS = (
    *("robot", "crawl", "spider", "scrap", "fetch", "archiv", "harvest", "validat", "verif"),
    *("monitor", "scann", "sitemap", "screenshot", "thumb", "favicon", "linkcheck", "feed"),
    *("webcheck", "webcrawl", "webmon", "websit", "backlink", "pingdom", "uptime", "urlcheck"),
    *("sitecheck", "extract", "analyz", "collect", "research", "nutch", "heritrix", "larbin"),
)
ROBOTS = frozenset(
    "perl php ruby deno bun pear wayback teoma ichiro mediapartners apis yeti pagepeeker netcraft"
    " nmap censys shodan qualys nessus acunetix wpscan siteimprove statuscake newrelic datadog"
    " catchpoint gomez keynote alertra ruxit dynatrace neustar dareboost debugbear gtmetrix"
    " datanyze barracuda proofpoint mimecast zscaler chatgpt claude anthropic perplexity"
    " externalagent ahrefs semrush dataprovider seznam gigablast blekko criteo pingback trackback"
    " newsgator newsblur netvibes bloglines opml nagios zabbix prometheus healthchecker"
    " healthcheck check checks probe scan audit seo websearch stumbleupon".split()
)
"""Whole words."""
ROBOT_PARTS = ("google-", "-google", "google search console", "google pp", "; compatible; ")
NOT_ROBOTS = ("google-api-objc", "technology%20preview", "technology preview", "cubot")
"""What people's devices have in their names and only looks like one of those."""
DOMAINS = frozenset(
    "com net org io de fr uk ru cn jp co info biz eu nl it cz pl br in us ch at se es ai dev app"
    " me tv edu gov".split()
)

# ---- browsers and devices

COMPATIBLE = (
    *("msie", "konqueror", "windows", "linux", "ubuntu", "u;", "icab", "omniweb", "ibrowse"),
    *("amiga", "antfresco", "netbox", "opera/", "polaris", "ncbrowser", "oregano", "gecko"),
)
"""What may follow ``(compatible;`` in a browser's name."""
PLATFORMS = (
    *("windows", "win9", "win3", "win16", "win32", "winnt", "macintosh", "mac os", "mac_", "x11"),
    *("linux", "android", "iphone", "ipad", "ipod", "cros ", "bsd", "sunos", "symb", "series60"),
    *("midp", "java;", "j2me", "blackberry", "bb10", "playbook", "rim tablet", "webos", "web0s"),
    *("hpwos", "palm", "tizen", "bada", "kaios", "mobile;", "tablet;", "mobile rv", "meego"),
    *("maemo", "nokia", "samsung", "sonyericsson", "lg", "playstation", "nintendo", "xbox", "wii"),
    *("smart-tv", "smarttv", "smart tv", "netcast", "hbbtv", "viera", "bravia", "crkey", "roku"),
    *("appletv", "apple tv", "dtv", "kindle", "nook", "silk", "amiga", "morphos", "beos", "haiku"),
    *("os/2", "risc os", "irix", "hp-ux", "osf1", "aix", "inferno", "qnx", "harmony", "fuchsia"),
    *("netfront", "opera mini", "ucbrowser", "msie", "trident", "webkit", "gecko", "presto"),
    *(
        "dreamcast",
        "firefox/",
        "openvms",
        "plan 9",
        "sailfish",
        "brew",
        "msn",
        "aol",
        "syllable",
        "reactos",
    ),
)
TEXT_BROWSERS = ("lynx", "links", "elinks", "w3m", "dillo", "amaya", "ncsa_mosaic", "vms_mosaic")
"""Browsers that name the library they are made with, as tools do."""
OFFICE = ("mozilla/4.0 (compatible; ms-office", "microsoft office")
DEVICES = (
    *(
        "[fban/",
        "hbbtv",
        "hybridcast",
        "smarttv",
        "opr/",
        "omi/",
        "crkey",
        "amazon;aft",
        "watch os",
    ),
    *("kepler", "applecoremedia", "quicktime", "itunes", "icab", "polaris", "spice"),
    *("cfnetwork", "darwin/", "dalvik", "android", "iphone", "ipad", "ipod", "ios/", "ios ", "wap"),
    *("midp", "cldc", "opera", "ucweb", "ucbrowser", "up.browser", "netfront", "webkit", "gecko"),
    *("msie", "nokia", "samsung", "sonyericsson", "blackberry", "lg-", "lge-", "motorola", "mot-"),
    *("docomo", "kddi", "softbank", "vodafone", "alcatel", "sagem", "philips", "sharp", "sie-"),
    *("panasonic", "sanyo", "zte", "huawei", "lenovo", "htc", "palm", "amiga", "ibrowse", "aweb"),
    *("playstation", "nintendo", "xbox", "sonos", "roku", "appletv", "apple tv", "watchos"),
    *("webos", "tizen", "bada", "kaios", "maui", "mre/", "obigo", "teleca", "openwave", "dolfin"),
    *("netscape", "lynx", "links (", "elinks", "w3m", "dillo", "mosaic", "galeon", "konqueror"),
    *("safari/", "firefox/", "chrome/", "windows phone", "iemobile", "harmonyos", "netsurf"),
)
