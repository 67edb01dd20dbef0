"""The rules of a whole set of rows, alone and with its recipe."""

from __future__ import annotations

from tunedrop.dataset.bounds import GUIDANCE_MAX_ROWS, MAX_ROWS, MIN_ROWS
from tunedrop.dataset.rule import NOVA_DATA, OPEN_WEIGHT_DATA, OURS, Rule, Severity, for_both

E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

SET_RULES: tuple[Rule, ...] = (
    # --- The set -----------------------------------------------------------------------------------------------
    Rule(
        "rows-few", for_both(E),
        "The service trains on at least 100 rows.",
        f"{OPEN_WEIGHT_DATA}; {NOVA_DATA}", f"at least {MIN_ROWS} rows", "Add rows.",
    ),
    Rule(
        "rows-many", for_both(E),
        "The service trains on at most 20,000 rows.",
        f"{OPEN_WEIGHT_DATA}; {NOVA_DATA}", f"at most {MAX_ROWS:,} rows",
        "Take a sample; AWS advises 100 to 10,000 rows.",
    ),
    Rule(
        "rows-guidance", for_both(N),
        "AWS's best practices advise 100 to 10,000 rows; more cost more and seldom help.",
        "AWS blog, best practices for RFT (April 2026)", f"at most {GUIDANCE_MAX_ROWS:,} rows",
        "Try with a sample first.",
    ),
    Rule(
        "prompt-long", for_both(W),
        "The prompt may not fit the model (tokens are estimated as UTF-8 bytes / 4).",
        "The model's context in the catalog; an estimate", "a prompt that fits the model", "Shorten the prompt.",
    ),
    Rule(
        "duplicate-row", for_both(W),
        "The same prompt and answer twice: you pay for it twice, and it counts twice.",
        OURS, "each row once", "Keep one of them.",
    ),
    Rule(
        "duplicate-prompt", for_both(W),
        "The same prompt, apart from case and white space: you pay for it twice, and it counts twice.",
        OURS, "each prompt once", "Keep one of them.",
    ),
    Rule(
        "duplicate-conflict", for_both(W),
        "The same prompt with another answer: whatever the model answers, one of the two rows counts it as wrong.",
        OURS, "one answer for each prompt", "Keep the right one.",
    ),
    Rule(
        "leakage-exact", for_both(E),
        "A test prompt that is also in the training file measures memory, not skill.",
        OURS, "no test prompt in the training file", "Take the row out of the training file or out of the test file.",
    ),
    Rule(
        "leakage-overlap", for_both(W),
        "A test prompt shares a run of 13 or more words with a training prompt: it may be the same task.",
        "13-grams as in GPT-3's contamination study (arXiv:2005.14165, appendix C)", "no long run of words in both",
        "Look at the pair; if both are the same task, take one out.",
    ),
    # --- What the recipe asks of the rows ------------------------------------------------------------------------
    Rule(
        "holdout-empty", for_both(E),
        "Without a test file Tunedrop keeps some training rows for the test, but there are too few rows.",
        OURS, f"more than {MIN_ROWS} rows, or a test file", "Drop a test.jsonl beside train.jsonl, or more rows.",
    ),
    Rule(
        "validation-empty", for_both(E),
        "The recipe keeps some training rows to choose a checkpoint by, but there are too few rows.",
        OURS, f"more than {MIN_ROWS} rows", "Drop more rows, or set evaluation.checkpoints to last.",
    ),
    Rule(
        "grader-unchosen", for_both(E),
        "The recipe chooses no grader, so answers are graded as mathematics, but most references are words.",
        OURS, "a grader that is made for the references",
        "Choose one in recipe.yaml: `grader: {kind: exact}` compares words. `kind: math` keeps the grader as it is.",
    ),
    Rule(
        "grader-names-nothing", for_both(W),
        "An option of the grader names a field or a label that no reference has, so that it does nothing.",
        OURS, "a name that references have", "Mend the name in `grader.options` of recipe.yaml, or leave it out.",
    ),
    Rule(
        "grader-names-few", for_both(N),
        "An option of the grader names a field that some references lack: those rows are graded without it.",
        OURS, "a field that each reference has", "Nothing, if these rows have no such field. Otherwise mend the rows.",
    ),
    Rule(
        "slice-missing", for_both(W),
        "The recipe names a slice by a field that no row of the test set has.",
        OURS, "a field of the rows", "Name a field of the rows in evaluation.slices.",
    ),
    Rule(
        "batch-large", for_both(W),
        "The service sends the grader many answers in one request, each with its row and the grader's options.",
        "Lambda's limit of a request; AWS's documentation leaves UNCONFIRMED how many answers come at once",
        "at most 6 MiB for 64 answers, or for those of a step",
        "Shorten the longest rows or the grader's options, or lower the batch size.",
    ),
    # --- What should not be in it ------------------------------------------------------------------------------
    Rule(
        "secret-key", for_both(W),
        "The model can repeat an access key from its training data.",
        OURS, "no access keys", "Remove it, and revoke the key. This report does not repeat it.",
    ),
    Rule(
        "personal-email", for_both(W),
        "The model can repeat an e-mail address from its training data.",
        OURS, "no e-mail addresses", "Remove it, or write a placeholder. This report does not repeat it.",
    ),
    Rule(
        "personal-phone", for_both(W),
        "The model can repeat a phone number from its training data.",
        OURS, "no phone numbers", "Remove it, or write a placeholder. This report does not repeat it.",
    ),
    Rule(
        "personal-card", for_both(W),
        "The model can repeat a number that has a payment card's check digit.",
        OURS, "no card numbers", "Remove it, or write a placeholder. This report does not repeat it.",
    ),
)  # fmt: skip
