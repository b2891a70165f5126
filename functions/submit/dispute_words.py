"""What a dispute's codes mean, in the languages partners are spoken to in."""

from __future__ import annotations

_FALLBACK = "en"

STATUS = {
    "en": {
        "open": "We have received it and are looking into it.",
        "escalated": "It takes longer than it should; it was passed on to be decided.",
        "decided": "It was decided.",
        "withdrawn": "You took it back.",
    },
    "de": {
        "open": "Wir haben Ihren Einspruch erhalten und prüfen ihn.",
        "escalated": "Die Prüfung dauert länger als vorgesehen; der Fall wurde weitergegeben.",
        "decided": "Über Ihren Einspruch wurde entschieden.",
        "withdrawn": "Sie haben den Einspruch zurückgenommen.",
    },
}
OUTCOME = {
    "en": {
        "upheld": "You were right: the credit was changed.",
        "rejected": "The credit stays as it is.",
        "split": "The credit is now shared.",
    },
    "de": {
        "upheld": "Sie hatten recht: Die Zurechnung wurde geändert.",
        "rejected": "Die Zurechnung bleibt, wie sie ist.",
        "split": "Die Empfehlung wird nun mehreren zugerechnet.",
    },
}
GROUNDS = {
    "en": {
        "earlier_touch": "The records show who brought the lead first.",
        "agreement": "Those involved agreed on it.",
        "joint_work": "Several brought the lead together.",
        "rule_applied": "The rules of the program were applied as they are written.",
        "no_evidence": "There is nothing in the records that supports it.",
        "out_of_time": "It was too long ago.",
        "no_referral": "There is no referral it could be about.",
        "other": "Another reason.",
    },
    "de": {
        "earlier_touch": "Die Aufzeichnungen zeigen, wer den Kontakt zuerst gebracht hat.",
        "agreement": "Die Beteiligten haben sich darauf geeinigt.",
        "joint_work": "Mehrere haben den Kontakt gemeinsam gebracht.",
        "rule_applied": "Die Regeln des Programms wurden so angewandt, wie sie geschrieben sind.",
        "no_evidence": "Die Aufzeichnungen enthalten nichts, was dafür spricht.",
        "out_of_time": "Es liegt zu lange zurück.",
        "no_referral": "Es gibt keine Empfehlung, um die es gehen könnte.",
        "other": "Ein anderer Grund.",
    },
}
LOST = {
    "en": {"recredited": "A dispute was decided: you are no longer credited for it."},
    "de": {
        "recredited": "Über einen Einspruch wurde entschieden: "
        "Die Empfehlung wird Ihnen nicht mehr zugerechnet.",
    },
}


def say(words: dict[str, dict[str, str]], code: str | None, locale: str) -> str:
    """Return what *code* means in the language of *locale*, empty for none."""
    language = locale.partition("-")[0]
    return words.get(language, words[_FALLBACK]).get(code or "", "")
