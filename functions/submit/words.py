"""What happened, in plain words for the people it happened to."""

from __future__ import annotations

EVENTS = {
    "ReferralSubmitted": "The referral was submitted.",
    "ReferralScreened": "It was checked and credited.",
    "ReferralReviewRequested": "A person is looking at it.",
    "ReferralDuplicate": "The lead had been referred before.",
    "ReferralIneligible": "The program does not take this lead.",
    "ReferralAssigned": "It was given to a sales representative.",
    "ReferralReminded": "The sales representative was reminded.",
    "ReferralAssessed": "The sales representative assessed it.",
    "ReferralReturned": "It is being given to another sales representative.",
    "ReferralAccepted": "The sales representative took it.",
    "ReferralRejected": "It was turned down.",
    "ReferralAnnulled": "It did not keep to the rules, and counts for nothing.",
    "ReferralAdvanced": "It moved on in the sales process.",
    "ReferralWon": "The customer bought.",
    "ReferralLost": "There was no sale.",
    "ReferralRetained": "The customer has stayed.",
    "ReferralRefunded": "The customer got the money back.",
    "ReferralChurned": "The customer left.",
    "ReferralWithdrawn": "It was withdrawn.",
    "ReferralExpired": "Nothing happened for too long.",
    "ReferralHeld": "Rewards for it are being kept back while something is looked into.",
    "ReferralReleased": "Rewards for it are no longer kept back.",
    "ReferralRecredited": "A dispute was decided: the credit for it has changed.",
    "ReferralEventRecorded": "Something that counts in the program was reported.",
    "SaleRecorded": "The customer bought again.",
    "LeadMerged": "It was joined with another entry of the same lead.",
    "SaleRefunded": "Part of a purchase was paid back.",
}

REASONS = {
    "country": "The lead is in a country the program does not cover.",
    "duplicate": "The lead had been referred before.",
    "same_company": "The lead's company had been referred before.",
    "existing_customer": "The lead is a customer already.",
    "open_with_sales": "Our sales team is talking to the lead already.",
    "named_account": "The lead's company is looked after by our sales team.",
    "consent_withdrawn": "The lead does not want to be contacted.",
    "no_partner": "Nobody could be credited.",
    "no_rep": "No sales representative is free for it.",
    "no_reps": "No sales representative is free for it.",
    "sla": "It was not taken in time.",
    "not_my_territory": "It belonged to another territory.",
    "no_capacity": "There was no capacity.",
    "conflict_of_interest": "There was a conflict of interest.",
    "not_a_fit": "The offer does not fit the lead.",
    "unreachable": "The lead could not be reached.",
    "invalid_contact": "The contact data do not work.",
    "no_interest": "The lead has no interest.",
    "self_referral": "The lead seems to be the partner.",
    "fraud": "It did not keep to the rules of the program.",
    "crm": "The sales team closed it.",
    "earlier_touch": "The records show who brought the lead first.",
    "agreement": "Those involved agreed on it.",
    "joint_work": "Several brought the lead together.",
    "rule_applied": "The rules of the program were applied as they are written.",
}

PASSED_OVER = {
    "country": "The rule is for other countries.",
    "product": "Other products.",
    "condition": "The rule's condition does not hold.",
    "unknown": "The program has no such representative.",
    "inactive": "Takes no leads at present.",
    "handed_back": "Had it and handed it back, or did not take it in time.",
    "territory": "The lead is outside their territory.",
    "size": "The lead's company has another size.",
    "language": "Does not speak the lead's language.",
    "hours": "Not at work at that moment.",
    "full": "Had as many open leads as they take.",
}
"""Why a rule or a representative was passed over, by the codes of routing."""


def of_event(kind: str) -> str:
    """Return what an event of this type means."""
    return EVENTS.get(kind, "Something changed.")


def of_reason(code: str) -> str:
    """Return what a reason code means, empty for none."""
    return REASONS.get(code, "Another reason.") if code else ""
