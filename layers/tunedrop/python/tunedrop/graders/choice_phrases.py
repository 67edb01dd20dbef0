"""How people and models name the letter that they choose, or reject, in the languages that models mostly write.

Each pattern is matched at the end of a short stretch before a letter, or at the start of one after it, so a match takes
bounded time whatever the text says. All text is compared without case.
"""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late

BEFORE = 90
"""How many characters before a letter are looked at."""
AFTER = 60
"""How many characters after a letter are looked at."""

_FILLER = r"""(?:[\s*_:,=~>–—-]|→|⇒|\b(?:for\ssure|for\scertain|without\s(?:a\s)?doubt|therefore|thus|hence|clearly|definitely|indeed|probably|likely|most|certainly|simply|just|then
    |actually|still|the|(?-i:a)|an|be|to|being|that|it|with|for|as|letter|option|choice|answer|number|correct|right|best)\b){0,14}"""

_COMMITS = {
    "noun": r"""\b(?:ans|answers?|options?|choices?|picks?|selections?|responses?|solutions?|verdict|vote|guess|bet|conclusion|letter
        |alternative|result|final|correct|right|best)\b
        (?:\s(?:here|number|letter|to\s(?:this|the)\s(?:question|problem)|for\sme|in\sthis\scase|one|choice|option|answer)){0,3}
        [\s*_]{0,4}[.)]?(?:[\s*_]{0,4}(?:is|are|was|would\sbe|will\sbe|should\sbe|must\sbe|has\sto\sbe|seems(?:\sto\sbe)?|appears\sto\sbe
        |looks\slike|remains|stands|=|:|–|—|-|->|→|⇒|=>)){0,2}""",
    "verb": r"""\b(?:i|we|you|let\sme|let's|let’s|i'll|i’ll|i'd|i’d)\b(?:\s(?:would|will|should|must|can|am|have\sto|think|believe|therefore|now|also)){0,3}\s
        (?:choos(?:e|ing)|chose|pick(?:ed|ing)?|select(?:ed|ing)?|go(?:ing)?|went|say|vote|opt|settle|lean(?:ing)?|answer|prefer|take|conclude
        |believe|think|guess|suspect|recommend|mark|circle|goes|bet)(?:\s(?:with|for|on|to|toward|towards|that|it\sis|it's|it’s|it|in|is)){0,3}""",
    "imperative": r"(?:^|[.!?\n])\s{0,4}(?:choose|pick|select|mark|circle|go\swith)",
    "it is": r"\b(?:it|that|this|which)(?:'s|’s|\sis|\smust\sbe|\shas\sto\sbe|\sshould\sbe|\swould\sbe|\sleaves(?:\sus\swith)?|\smakes(?:\sit)?|\sgives)(?:\sonly)?",
    "leaves": r"\b(?:leaving|leaves|leave|left)\b(?:\s(?:us|only|with)){0,3}",
    "so": r"\b(?:so|thus|hence|therefore|then|ergo|finally|consequently)\b[,:]?",
    "arrow": r"(?:->|→|=>|⇒|∴|=)",
    "chinese": r"(?:答案|正确|选项|选择|应选|应该选|故选|可选|选|答|结论|結論|選擇|選項|選)(?:\s|应该|应|就|肯定|是|为|為|选项|选择|选|選|项|：|:|，|,|的){0,6}",
    "japanese": r"(?:答え|正解|解答|回答|選択肢|答)(?:\s|は|が|:|：|、|も){0,4}",
    "korean": r"(?:정답|답변|답|선택지|선택)(?:\s|은|는|이|을|를|:){0,4}",
    "german": r"\b(?:antwort(?:möglichkeit)?|lösung|option|wahl|buchstabe|auswahl)\b(?:[\s*_:]|\b(?:ist|lautet|wäre|also|die|der|das|daher|somit|antwort|option)\b){0,8}"
    r"|\b(?:ich\s(?:wähle|nehme|tippe\sauf|entscheide\smich\sfür|würde\ssagen)|also|daher|somit|richtig\sist|es\sist)\b",
    "french": r"\b(?:réponse|reponse|choix|solution|option|proposition|lettre)(?:[\s*_:]|\b(?:correcte?|juste|exacte|finale?|bonne|est|serait|donc|la|le|réponse)\b|l'){0,8}"
    r"|\b(?:je\s(?:choisis|prends|dirais|sélectionne)|c['’]est|donc)(?:\s(?:la|le|réponse|l['’]option)){0,3}",
    "spanish, portuguese, italian": r"\b(?:respuesta|opción|opcion|alternativa|solución|solucion|elección|letra|inciso|resposta|opção|opcao|escolha|risposta|opzione|scelta|soluzione|lettera)\b"
    r"(?:[\s*_:]|\b(?:correct[ao]|cert[ao]|corretta|giusta|esatta|final[e]?|es|é|sería|seria|la|(?-i:a)|el|o|letra|opción|opção|sarebbe|por|tanto)\b|è){0,8}"
    r"|\b(?:elijo|escojo|selecciono|escolho|seleciono|marco|scelgo|seleziono|es|é|quindi|portanto|entonces|logo|dunque)(?:\s(?:la|(?-i:a)|el|o|opción|opção|letra|risposta)){0,3}",
    "russian, ukrainian": r"(?:ответ|вариант|выбор|буква|відповідь|варіант)(?:ом|а|е|у|у|ы|і)?(?:\s|является|будет|это|є|под|буквой|ответ|ответа|:|–|—|-){0,8}|(?:выбираю|обираю|выберу)(?:\s|вариант|ответ){0,4}",
    "polish, czech": r"\b(?:odpowiedź|odpowiedz|odpowiedzią|opcja|odpověď|možnost|volba)\b(?:[\s*_:]|\b(?:to|jest|je|poprawna|prawidłowa|správná)\b){0,6}|\b(?:wybieram|volím)\b",
    "dutch, nordic": r"\b(?:antwoord|optie|keuze|svaret?|alternativ(?:et)?|valg(?:et)?|vastaus)\b(?:[\s*_:]|\b(?:is|är|er|on|het|juiste)\b){0,6}|\b(?:ik\skies|jag\sväljer|jeg\svelger)\b",
    "turkish": r"\b(?:cevap|cevabı|yanıt|seçenek|doğru)\b(?:[\s*_:]|\b(?:şık|cevap|seçenek|olan)\b){0,6}",
    "indonesian, vietnamese": r"\b(?:jawaban(?:nya)?|pilihan(?:nya)?|opsi)\b(?:[\s*_:]|\b(?:adalah|yang|benar|tepat)\b){0,8}|(?:đáp\sán|câu\strả\slời|chọn)(?:\s|đúng|là|:|án|đáp){0,8}",
    "arabic, persian, hebrew, hindi, thai, greek": r"(?:الإجابة|الاجابة|الجواب|الخيار|پاسخ|گزینه|התשובה|תשובה|उत्तर|जवाब|विकल्प|คำตอบ|απάντηση)"
    r"(?:\s|الصحيحة|الصحيح|هي|هو|صحیح|הנכונה|היא|सही|है|คือ|ที่ถูกต้อง|είναι|:){0,8}",
}
COMMITS_BEFORE = late(
    "(?:"
    + "|".join(f"(?:{pattern})" for pattern in _COMMITS.values())
    + ")"
    + _FILLER
    + r"[\s*_(\[{\"'“‘「『【$`]{0,8}\Z",
    re.VERBOSE | re.IGNORECASE,
)
"""The words before a letter commit to it."""

COMMITS_AFTER = late(
    r"""[\s*_)\]}\"'”’」』】$`.]{0,6}(?:
      (?:is|seems|looks|must\sbe|would\sbe|has\sto\sbe)\s(?:(?:clearly|definitely|probably|indeed|also|most\slikely|obviously|therefore|thus)\s){0,2}
        (?:the\s)?(?:only\s|most\s|my\s|our\s){0,2}(?:correct|right|best|true|answer|choice|pick|accurate|appropriate|likely|valid|suitable|final|one\b)
      |is\s(?:much\s|clearly\s|slightly\s|a\s)?(?:better|closer|preferable|superior
        |more\s(?:accurate|precise|appropriate|likely|plausible|probable|suitable|fitting|correct|complete|specific|convincing|reasonable))\b
      |(?:fits|works|holds|applies|matches|remains|wins)\b|is\s(?:all\sthat\sis\s)?left\b
      |[:=–—-]\s{0,2}[*_]{0,2}(?:yes|true|correct|right|ja|oui|sí|sim|да|是|对|正确|✓|✔|✅)(?!\w)
      |(?:ist|wäre)\s(?:die\s)?(?:richtige?|korrekte?|antwort|lösung)
      |est\s(?:la\s)?(?:bonne|correcte?|juste|exacte?|réponse)
      |(?:es|é|è)\s(?:la\s|a\s)?(?:respuesta|resposta|risposta|correct[ao]|corretta|cert[ao]|giusta|verdader[ao])
      |(?:项|选项)?\s?(?:是)?(?:正确|对的|正确的|答案)
      |(?:が|は)?(?:正解|正しい|です)
      |(?:가|이|번)?\s?(?:정답|맞|옳|입니다)
      |(?:является|это|—|–)?\s?(?:правильн|верн|правильний)
      |(?:şıkkı|seçeneği|doğru)
      |(?:adalah\s(?:jawaban|yang\sbenar)|là\s(?:đáp\sán|câu))
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""The words after a letter say that it is right."""

REJECTS_AFTER = late(
    r"""[\s*_)\]}\"'”’」』】$`]{0,6}(?:(?:both|all|too|also)\s)?(?:
      (?:is|are|was|were|seems?|looks?|sounds?|can|could|may|does|do|did|has|would|must|should)(?:\s(?:clearly|definitely|obviously|also|both|all|simply|just|be)){0,2}
        (?:n't|n’t|\s(?:not|wrong|incorrect|false|out\b|eliminated|excluded|impossible|invalid|ruled|untrue|irrelevant|inaccurate|unlikely|less|too\b|no\b|cannot|never
        |be\s(?:wrong|eliminated|excluded|ruled|discarded|dismissed|false|rejected)|discarded|dismissed|rejected))
      |(?:isn|aren|wasn|doesn|don|can|cannot|won)(?:'|’)?t\b|cannot\b|fails?\b|contradicts?\b
      |(?:,\s|[:=–—-]\s{0,2}[*_]{0,2})?(?:wrong|incorrect|false|no(?!\s(?:la\s|a\s)?[(*]{0,3}[A-J]\b))\b(?!\w)|[:=–—-]\s{0,2}[*_]{0,2}(?:nein|falsch|non|faux|нет|否|错|✗|✘|❌)
      |(?:ist|sind|kann|stimmt|passt|trifft)\s(?:auch\s)?(?:falsch|nicht|unmöglich|inkorrekt|auszuschließen)|scheidet\saus
      |(?:est|sont|n['’]est)\s(?:fau(?:x|sses?)|incorrecte?s?|pas|éliminée?s?)
      |(?:no\ses|es\sincorrect[ao]|es\sfals[ao]|não\b|é\sincorret[ao]|está\s(?:errad|incorret|incorrect|equivocad)[ao]|está\smal|é\s(?:fals|errad)[ao]|queda\sdescartad[ao]|non\sè|è\ssbagliata|è\serrata|è\sfalsa)
      |(?:项|选项)?\s?(?:是)?(?:错|不对|不正确|不是(?!\s*[A-Z])|不符|排除|错误)
      |(?:は|が)?(?:間違|誤|不正解|違|正しく)|(?:は|が)?(?:で|じゃ)は?(?:ありませ|な[いくか])
      |(?:번)?(?:는|은|가|이)?\s?(?:틀|오답|아니|아닙|아닌|아님|잘못)
      |\s?(?:[—–-]\s)?(?:это\s|є\s)?(?:неверн|неправильн|не\s|ошибочн|невірн)
      |\s?(?:خطأ|خاطئ|غلط|غير\s(?:صحيح|صائب)|ليس|لیست|مستبعد|نادرست|اشتباه|نیست)
      |\s?(?:ही\s)?(?:सही\s|सही\sउत्तर\s|उत्तर\s)?(?:नहीं|नही|गलत|ग़लत)
      |(?:yanlış|değil|salah|bukan|sai\b|không\s(?:đúng|phải))|(?:nie\sjest|jest\s(?:błędn|niepoprawn|nieprawidłow))
      |is\s(?:niet|fout|onjuist)|är\s(?:fel|inte)|er\s(?:feil|forkert|ikke)|(?:nen[ií]\b|je\s(?:špatn|nesprávn))
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""The words after a letter reject it."""

REJECTS_ALL_AFTER = late(
    r"[\s*_)\]\"'”’`$]{0,6}(?:(?:both|all|too|also)\s)?"
    r"(?:are|were|aren|weren|do|don|have|can|cannot|could|fail|contradict|sind|sont|son|são|sono)\b",
    re.IGNORECASE,
)
"""What is said after the last of several letters is said of all of them: `A, C and D are wrong`."""

CORRECTS_BEFORE = late(
    r"(?:\bon\s(?:(?:further\s)?reflection|second\sthoughts?)|\bactually|\bwait|\bscratch\sthat|\bcorrection|\bi\smean|\bno(?=,))"
    r"[\s,.:;!—–-]{1,5}(?:(?:it['’]s|it\sis|make\s(?:that|it))\s)?[*_(]{0,3}\Z",
    re.IGNORECASE,
)
ENDS_AFTER = late(r"[*_)]{0,4}(?:[.!]?\s*\Z|[.!]?\s*\n|[.!]\s)")
"""A letter that ends its sentence, behind a word that takes another one back: `… Actually, A.`"""

REJECTS_BEFORE = late(
    r"""(?:(?:\bnot|n't|n’t|\bnever)\s(?:choose|pick|select|go\swith|say|be|take)|\b(?:anything|everything|all)\sbut|\bexcept\sfor|\bnot|\bisn't|\bisn’t|\bwasn't|\baren't|\bneither|\bnor|\bcannot\sbe|\bcan't\sbe|\bcan’t\sbe|\bcouldn't\sbe|\beliminat(?:e|es|ed|ing)|\brul(?:e|es|ed|ing)\sout|\bexclud(?:e|es|ed|ing)
      |\bdiscard(?:s|ed|ing)?|\bdismiss(?:es|ed|ing)?|\breject(?:s|ed|ing)?|\bcross(?:ed|ing)?\sout|\binstead\sof|\brather\sthan|\bunlike|\bthan|\bexcept|\bwrong(?:\sanswer)?(?:\sis|:)|\bincorrect(?:\sanswer)?(?:\sis|:)
      |\b(?:doubt|unsure|uncertain|not\s(?:sure|certain|convinced)
        |(?:(?:can(?:not|['’]t|\snot)|do(?:\snot|n['’]t)|could(?:\snot|n['’]t))\s(?:really\s)?|(?:hard|difficult|impossible)\sto\s)(?:say|tell|know|decide|determine))
        (?:\sfor\s(?:sure|certain))?(?:\s(?:that|if|whether))?\s(?:it['’]?s|it\sis|it\swas)
      |\bfor\s(?:(?:the|this|it|its|an|my|correct|right)\s){0,3}(?:answer\s|option\s|choice\s)?to\sbe
      |\bnicht|\bkein|\bpas|\bni|\bno\ses|\bnão\sé|\bnon(?=\s)(?:\sè)?|\bне|\bstatt|\bniet|\bnie(?:\sjest)?|\bbukan|không\sphải(?:\slà)?
      |(?:,|\b[ye])\s(?:no|não)(?=\s(?!,))
      |\binte|\bikke|\bdeğil|\bليس(?:ت)?(?:\s(?:هو|هي))?|\bو?لا|\bلیس|\bнеправильный\sответ|不是|并非|排除|除了|不选)
      [\s*_:,]{0,4}(?:(?:option|choice|answer|letter|the|opción|antwort|réponse|选项|la|a)[\s*_:]{1,3}){0,3}[\s*_(\[{\"'“‘「『【$`]{0,8}\Z""",
    re.VERBOSE | re.IGNORECASE,
)
"""The words before a letter reject it."""

NAMED = late(
    r"\b(?:option|choice|letter|alternative|answer|opción|opcion|opção|alternativa|letra|inciso|antwort|möglichkeit|réponse"
    r"|proposition|lettre|risposta|opzione|вариант|ответ|optie|odpowiedź|odpověď|pilihan|opsi)\s{0,3}[*_(\[{\"'“‘$`]{0,8}\Z"
    r"|(?:选项|選項|選択肢|선택지|选|選)\s{0,3}[*_(\[{\"'“‘「『【$`]{0,8}\Z",
    re.IGNORECASE,
)
"""The word before a letter says that it is one of the choices."""

BETWEEN_LETTERS = late(
    r"[ \t*_)]{0,4}\n[\s*•-]{0,6}(?:option|choice)\s[*_(]{0,3}\Z|"
    r"[\s)\]}.:*_$\"'”’]{0,6}(?:(?<=\s)(?=[A-Z]?\Z)|,|/|&|;|、|，|\||\bor\b|\band\b|\band/or\b|\boder\b|\bund\b|\bou\b|\bet\b|\by\b|\bo\b|\be\b|\bи\b"
    r"|\bили\b|和|或|或者|と|か|또는|과|와|-|–|through|to|bis)"
    r"[\s,]{0,3}(?:\b(?:or|and|maybe|possibly|perhaps|also|even|either|both|option|choice|answer|letter|else|it\sis|it's|could\sbe)\b[\s*_]{0,3}){0,3}"
    r"[*_(\[{\"'“‘$`\s]{0,6}\Z",
    re.IGNORECASE,
)
"""What stands between two letters that are named in one breath."""
