"""Names of accounts in social networks: links to profiles, labelled names, and @name in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.protect.detect.spans import Span
from app.protect.detect.words import any_of, is_common, word_set

# A profile is what follows one of these in a link; what follows that is a post, and no part of the name.
_PROFILE = re.compile(
    r"(?<![\w.-])(?:www\.|m\.|mobile\.|[a-z]{2}\.|[a-z]{2}-[a-z]{2}\.)?(?:t\.me|telegram\.me|telegram\.dog"
    r"|twitter\.com|x\.com|instagram\.com"
    r"|instagr\.am|facebook\.com|fb\.com|fb\.me|m\.me|(?:[a-z]{2}\.)?linkedin\.com/(?:in|pub)|tiktok\.com"
    r"|snapchat\.com/add"
    r"|youtube\.com/(?:c|user)|youtube\.com(?=/@)|reddit\.com/(?:u|user)|vk\.com|ok\.ru/profile|wa\.me"
    r"|threads\.(?:net|com)"
    r"|bsky\.app/profile|medium\.com(?=/@)|twitch\.tv|pinterest\.(?:com|de|fr|es)|soundcloud\.com|onlyfans\.com"
    r"|patreon\.com"
    r"|steamcommunity\.com/(?:id|profiles)|discord(?:app)?\.com/users|keybase\.io|paypal\.me|venmo\.com|cash\.app"
    r"|ko-fi\.com"
    r"|last\.fm/user|letterboxd\.com|strava\.com/athletes|flickr\.com/people|xing\.com/profile|signal\.me/#p"
    r"|mastodon\.\w+(?=/@)"
    r"|linktr\.ee|about\.me|gitlab\.com/u|open\.spotify\.com/user|weibo\.com/u|line\.me/ti/p)"
    r"/(@?[\w.~%+-]{2,64}+(?:@[\w.-]+)?)",
    re.I,
)
_PAGES = word_set(
    "i p s c search login signin signup share sharer intent hashtag explore reel reels stories watch pages groups "
    "events "
    "home about company help privacy policies legal tos jobs settings messages notifications compose download dialog "
    "plugins tr marketplace gaming hub people topics directory games store docs developers developer business ads api "
    "status web accounts sharer.php profile.php joinchat addstickers proxy socks iv tag discover trending music"
)
_NETWORKS = (
    "instagram", "insta", "ig", "twitter", "telegram", "tg", "snapchat", "snap", "tik tok", "tiktok", "discord",
    "skype",
    "wechat", "weixin", "line id", "kik", "facebook", "fb", "messenger", "mastodon", "bluesky", "bsky", "threads",
    "reddit",
    "steam", "psn", "xbox live", "xbox", "gamertag", "youtube", "twitch", "onlyfans", "viber", "icq", "qq", "vk",
    "signal",
    "linkedin", "github", "venmo", "cashapp", "cash app", "matrix", "tumblr", "pinterest", "x.com", "bereal",
)  # fmt: skip
_NAME_WORDS = (
    "user name", "username", "screen name", "screenname", "display name", "handle", "nickname", "nick", "gamer tag",
    "login", "login name", "alias", "benutzername", "nutzername", "nom d'utilisateur", "identifiant", "pseudo",
    "pseudonyme", "usuario", "nombre de usuario", "nome de usuario", "utilizador",
)  # fmt: skip
_CUE = any_of(_NETWORKS + _NAME_WORDS)
_NETWORK = f"(?:{any_of(_NETWORKS).pattern})"
_LABELLED = re.compile(
    rf"(?<![\w.@/-]){_NETWORK}(?: ?(?:handle|id|user ?name|user|name|account|acct|nick(?:name)?|profile|tag|usuario"
    rf"|konto"
    r"|compte|cuenta|perfil|nutzername|pseudo))?(?: (?:is|ist|est|es|e|under|as|at)\b| ?[:=]| -| ?(?=@)|(?<=handle)"
    r"|(?<=username)|(?<=user name)|(?<=nickname)|(?<= id))"
    r" ?[\"'(]?(?P<name>@?[a-z0-9_][\w.-]{1,31}(?:#\d{1,6})?|live:[\w.]{3,40})(?![\w@/-])"
)
_USERNAME = re.compile(
    rf"(?<![\w.@/-])(?:{any_of(_NAME_WORDS).pattern})\b(?: (?:on|auf|sur|en|no) [a-z]{{2,12}})?(?: (?:is|ist|est|es"
    rf"|e)\b| ?[:=]) ?[\"']?"
    r"(?P<name>@?[a-z0-9_][\w.-]{2,31}+)(?![@/(])"
)
_MENTION = re.compile(r"(?<![\w@/.+:=\"'`<-])@(?P<name>[A-Za-z_]\w{0,29}(?:[.-]\w{1,20}){0,3}+)(?![\w@/({\[:=-]|\.\w)")
_DECORATOR = re.compile(r"(?:^|\n)[ \t]*(?:[#*+>|-]+ {0,4})?$")
_CODE_AFTER = re.compile(
    r" ?(?:decorators?|annotations?|rules?|tags?|directives?|scopes?|packages?|imports?|selectors?|media"
    r"|class(?:es)?\b"
    r"|syntax|notation|(?:instance )?variables?|methods?|(?:public|private|protected|static|async|def|class"
    r"|interface)\b"
    r"|parameters?|blocks?|propert(?:y|ies)|operators?|mixins?|keyframes|components?|beans?|branch)\b|\n *(?:def"
    r"|class|async|public"
    r"|private|protected|static|@|export|function|var|let|const)\b|\s*$(?<=\n)"
)
_CODE_BEFORE = re.compile(
    r"(?:\b(?:annotat\w+|decorat\w+|npm|yarn|pnpm|install|pip|import|from|jsdoc|javadoc|css|matmul|a|b|x|commit|git"
    r"|branch)"
    r"|[*/\\{}();,=\[\]\d]) ?$"
)
# What follows an @ in programs and style sheets. Most other such words are ordinary ones, which names seldom are.
_CODE_WORDS = word_set(
    "media import charset font-face keyframes supports page layer container property namespace apply tailwind include "
    "mixin extend use forward param params returns return throws throw typedef type typeparam deprecated see since "
    "author version todo link override overrides test before after bean autowired service component controller entity "
    "table id column staticmethod classmethod dataclass abstractmethod pytest app router click task given when then "
    "inject injectable input output viewchild ngmodule module pipe get post put patch delete latest next beta alpha "
    "rc "
    "canary nightly stable everyone here channel all team admin admins mods main master head dev prod root localhost "
    "nullable nonnull notnull transactional lombok getter setter builder data slf4j value qualifier configuration "
    "springbootapplication restcontroller requestmapping getmapping postmapping pathvariable requestbody repository "
    "component suppresswarnings functionalinterface safevarargs beforeeach aftereach mock spy interface lazy cached "
    "lru_cache cached_property wraps contextmanager overload final unittest hypothesis settings example parametrize "
    "fixture mark jit njit vectorize tool agent observable action computed state prop emit watch objc available main "
    "escaping discardableresult published stateobject binding environment viewbuilder mainactor sendable testable "
    "internal private public protected readonly async generator callback constructor event fires function license "
    "module name namespace summary this throws tutorial variation yields file fileoverview brief details note warning "
    "attention ingroup defgroup addtogroup code endcode if else endif foreach endforeach for endfor section yield "
    "def given composite runtime_checkable total_ordering asynccontextmanager singledispatch keyparam register "
    "cached_method validator field_validator "
    "model_validator computed_field classproperty extends csrf auth guest php isset empty switch case break types "
    "babel angular vue react nestjs scope graph"
)
_DISCORD = re.compile(r"(?<![\w#/@.-])(?P<name>[A-Za-z_][\w.]{1,31})#(?P<tag>\d{4})(?![\w-])")
_THINGS = word_set("issue issues pr pull order ticket room invoice bug case build item lot page section job gh ref")
_REDDIT = re.compile(r"(?<![\w/.-])/?u/[A-Za-z0-9_-]{3,20}+(?![\w/])")


# Where none of these stands, nor one of "@/#", there is no handle.
FIRST_WORDS = frozenset(re.split(r"\W", word)[0] for word in _NETWORKS + _NAME_WORDS)


def handles(folded: str, small: str) -> list[Span]:
    """Kind handle. `small` is the folded text in small letters."""
    found: list[Span] = []
    if "/" in folded:
        found += [Span(*hit.span(1), "handle") for hit in _PROFILE.finditer(folded) if _is_profile(hit[1])]
        found += [Span(*hit.span(), "handle") for hit in _REDDIT.finditer(folded)]
    if "@" in folded:
        found += [Span(*hit.span(), "handle") for hit in _MENTION.finditer(folded) if _is_mention(folded, hit)]
    if "#" in folded:
        found += [Span(*hit.span(), "handle") for hit in _DISCORD.finditer(folded) if _is_discord(hit, small)]
    found += _labelled(folded, small)
    return found


def _is_profile(name: str) -> bool:
    return name.lower().rstrip(".") not in _PAGES and not name.lower().endswith((".php", ".html", ".js", ".css"))


def _labelled(folded: str, small: str) -> Iterator[Span]:
    for cue in _CUE.finditer(small):
        hit = _LABELLED.match(small, cue.start()) or _USERNAME.match(small, cue.start())
        if hit:
            name = folded[slice(*hit.span("name"))].rstrip(".")
            if _is_account_name(name):
                yield Span(hit.start("name"), hit.start("name") + len(name), "handle")


def _is_account_name(name: str) -> bool:
    """Whether what stands behind "Instagram:" is a name: no ordinary word, and no word of a sentence."""
    bare = name.lstrip("@")
    if bare.lower().startswith(("self.", "this.")) or "._" in bare or "_." in bare:
        return False
    if len(bare) < 3 or (bare.isdigit() and len(bare) < 5) or bare.lower() in _CODE_WORDS:
        return False
    if name.startswith("@") or any(map(str.isdigit, bare)) or "_" in bare or "." in bare[1:-1]:
        return not _is_version(bare)
    return bare.islower() and not is_common(bare)


def _is_version(name: str) -> bool:
    return re.fullmatch(r"v?\d+(?:\.\d+)*[a-z]?", name) is not None


def _is_mention(folded: str, hit: re.Match[str]) -> bool:
    """Whether @name is somebody, and not a decorator, a rule of a style sheet, a tag or a package."""
    name = hit["name"]
    if name.lower().partition(".")[0] in _CODE_WORDS or (len(name) < 3 and "_" not in name):
        return False
    if _CODE_AFTER.match(folded, hit.end()) or _CODE_BEFORE.search(folded, max(0, hit.start() - 16), hit.start()):
        return False
    starts = _DECORATOR.search(folded, max(0, hit.start() - 24), hit.start())
    if starts and folded[hit.end() : hit.end() + 2].strip(" ") in ("", "\n") and len(folded) > hit.end():
        return False
    return any(map(str.isdigit, name)) or "_" in name.strip("_") or not is_common(name)


def _is_discord(hit: re.Match[str], small: str) -> bool:
    name = hit["name"].lower()
    return name not in _THINGS and (not is_common(name) or "discord" in small)
