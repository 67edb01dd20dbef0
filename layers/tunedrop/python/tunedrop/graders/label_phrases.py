"""How people and models lead in to a label, take it up again behind it, or say that none applies.

Each pattern is matched against a short text, so a match takes bounded time whatever the text says.
"""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late

_DECIDED = r"(?:is|are|would\sbe|should\sbe|must\sbe|:)"
_QUALIFIER = (
    r"(?:(?:the|this|my|its|your|a|an|final|correct|right|best|most|applicable|assigned|predicted|appropriate|primary|main|overall"
    r"|suitable|fitting|likely|suggested|recommended|relevant|single|proper|chosen|selected|detected|dominant|predominant|following|user|customer|news|article|safety|content|die|der|das|la|le|el|il)\s+){0,5}"
)
_KIND = (
    r"(?:labels?|label\(s\)|categor(?:y|ies)|answers?|verdict|classifications?|decision|tags?|class(?:es)?|violations?|results?|outputs?"
    r"|response|predictions?|intents?|intentions?|topics?|types?|sentiments?|polarity|emotions?|tone|stance|rating|genre|flags?|safety"
    r"|kategorien?|etikett(?:en)?|klasse|stimmung|absicht|catégories?|étiquettes?|sentiment|intention|categorías?|etiquetas?|sentimiento"
    r"|categorias?|sentimento|categori[ae]|etichett[ae]|категори[яи]|метк[аи]|класс|тональность"
    r"|标签|标籤|標籤|类别|類別|分类|分類|情感|意图|感情|ラベル|カテゴリー?|라벨|레이블|카테고리|분류|감정|감성)(?![a-z])"
)
_TEXT = (
    r"(?:message|text|comment|post|content|answer|tweet|review|input|sentence|ticket|e-?mail|query|question|request|article"
    r"|document|conversation|statement|utterance|headline|passage|feedback|complaint|inquiry|prompt|snippet|paragraph|example)"
)
_WHOSE = r"(?:(?:user|customer|news|blog|support|product|movie|film)(?:['’]s)?\s)?"
_THIS_TEXT = rf"(?:(?:the|this|that)\s(?:given\s|provided\s|above\s)?{_WHOSE}{_TEXT}\b|this|it|that)"
_IS = (
    r"(?:\s(?:is|are|was|as|(?:would|should|must|will)\sbe|ist|lautet|est|es|seria|sería)\b|\s[èé]\s|は|은|는|是|为)?"
    r"\s{0,3}(?::|\uff1a|=|-)?\s*"
)
_CLASSED = (
    r"(?:(?:best|most\slikely|clearly|correctly|most\sappropriately)\s)?(?:labell?ed|classified|tagged|flagged|marked|categori[sz]ed)"
    r"(?:\s(?:as|with|under|for|in|into))?"
)
_GROUP = rf"(?:\s(?:the\s)?(?:{_KIND})(?:\s(?:of|is|as)\b)?\s{{0,3}}:?)?"

LEAD_IN = late(
    rf"^{_QUALIFIER}{_KIND}(?:\s(?:expressed|conveyed|shown|detected|present|found)\b)?(?:\s(?:for|of|to|in|by|that\sapplies\sto|that\sfits)\s{_THIS_TEXT})?"
    rf"(?:\s(?:that\s)?(?:applies|apply|here)\b)?{_IS}"
    r"|^(?:flag(?:ged(?:\s(?:for|as))?|s)?|detected)\s*:?\s*"
    rf"|^(?:it|this|that)(?:['’]s|\sis)\s+(?:clearly\s|definitely\s)?"
    rf"|^{_THIS_TEXT}\s+(?:is|should|would|must|can)\s(?:best\s)?(?:be\s)?{_CLASSED}{_GROUP}\s*(?:\s|:\s?)"
    rf"|^(?:{_THIS_TEXT}|the\s(?:author|speaker|writer|user|customer|reviewer))\s+(?:(?:clearly|definitely|best)\s)?(?:is(?:\s(?:about|related\sto))?|contains|has|shows"
    rf"|violates|feels|expresses|conveys|reflects|concerns|relates\sto|fits(?:\sunder)?"
    rf"|(?:falls|belongs|fits)\s(?:in)?(?:to|under)|(?:is|should|would|must|can)\s(?:best\s)?(?:be\s)?{_CLASSED}){_GROUP}\s*(?:\s|:\s?)"
    rf"|^(?:i\s?(?:would|will|['’]d|['’]ll)?\s?)?(?:label|classify|categori[sz]e|tag|flag|mark)\s{_THIS_TEXT}\s(?:as|under|with)\s+"
    r"|^i\s?(?:would|will|['’]d|['’]ll)?\s?(?:choose|chose|pick|select|say|go\swith|assign|apply)\s+"
    r"(?:the\s(?:labels?|category|categories|class|tags?)\s)?",
    re.IGNORECASE,
)
"""What stands before a label: `The best category for this ticket is`, `This text is classified as`."""

OPENING = late(
    r"^(?:(?:sure|certainly|of\scourse|okay|ok|so|thus|hence|therefore|absolutely|definitely|overall|only|just)\b[,.!:]{0,3}\s+"
    rf"|here(?:['’]s|\sis|\sare)\s(?={_QUALIFIER}{_KIND})"
    r"|(?:based\son|given|considering|after\s(?:reading|reviewing|analy[sz]ing))\s[^,\n]{1,100},\s+){1,3}",
    re.IGNORECASE,
)
"""What says nothing of the label: `Sure!`, `Based on the text,`."""

LAST_CLAUSE = late(
    rf"(?:^|[.!;,:\n]\s{{0,3}})(?:(?:so|thus|hence|therefore|consequently)\b,?\s)?"
    rf"(?P<clause>(?:the|my)\s{_QUALIFIER}{_KIND}\b[^.!?;\n]{{0,60}}?{_DECIDED}[^.!?;\n]{{1,120}})[.\s*_\"”]*\Z",
    re.IGNORECASE,
)
"""The clause with which a text ends: `He was charged twice, so the label is billing.`"""

CONFIDENCE = late(
    r"[\s,;(*_-]{1,9}(?:confidence|probability|certainty|score)(?:\s(?:level|score))?[*_]{0,2}\s?(?:is|[:=])?[\s*_]{0,4}"
    r"(?:\d[\d.,]{0,9}\s?%?|(?:very\s)?(?:high|medium|moderate|low))\)?[\s.*_]{0,4}\Z",
    re.IGNORECASE,
)

APPLIES = late(
    r"\s+(?:(?:(?:both|all|each)\s)?(?:apply|applies|(?:is|are|was|were)\s(?:present|detected|found|applicable|violated)|detected|present)"
    r"(?:\s(?:here|to\s\w{1,10}\s\w{1,12}))?|only)\s*\Z",
    re.IGNORECASE,
)
"""What may stand behind the labels."""

ARTICLE = late(r"^(?:an?|the)\s+", re.IGNORECASE)
KIND_BEHIND = late(
    rf"\s(?:label|category|class|tag|sentiment|emotion|tone|topic|intent|stance|issue|problem|{_TEXT})\s*\Z",
    re.IGNORECASE,
)
"""`a billing issue`, `positive sentiment`."""

TAKEN_BACK = late(
    r"\W*(?:no|not|wait|actually|correction|hmm+|sorry|or|maybe|perhaps|but|however|alternatively|otherwise|also|and|if|unless)\b",
    re.IGNORECASE,
)
"""What stands behind a label that is not meant so."""

_NONE_OF = (
    r"(?:of)?(?:the|these|those|my|our)?(?:above|listed|given|provided)?"
    r"(?:labels?|category|categories|violations?|tags?|issues?|flags?|polic(?:y|ies)|rules?)?"
)
_TEXT_OR_SUCH = r"(?:message|text|comment|post|content|answer|tweet|review|input|sentence|ticket|email)"
_THE_TEXT = rf"(?:this|it|(?:this|the){_TEXT_OR_SUCH})"
NONE_APPLIES = late(
    rf"(?:{_THE_TEXT}(?:contains|has|shows|violates|fallsunder|isin|matches))?(?:there(?:is|are))?"
    rf"(?:no|none)(?:applicable|relevant|matching)?{_NONE_OF}(?:that|which)?(?:apply|applies|applicable|found|detected|present)?"
    rf"(?:here|(?:to|in)(?:this|the){_TEXT_OR_SUCH})?"
    rf"|{_THE_TEXT}(?:doesnot|doesnt)(?:violate|contain|match|fit|fitinto|fitunder|fallunder|fallinto|belongto)any{_NONE_OF}"
    r"|na|nothing(?:applies)?|notapplicable|neither(?:of(?:them|these|those|thetwo))?(?:applies|apply)?"
)
"""What says in other words that no label applies, as `words` writes it."""
