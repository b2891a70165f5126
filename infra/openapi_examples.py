"""Examples for the API's description; a test sends each through the decoder of its route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PROGRAM = json.loads((Path(__file__).parent / "programs" / "telecom.json").read_text())

PATH = {
    "program": "telecom",
    "source": "billing",
    "provider": "giftcards",
    "version": "2",
    "referral": "7w3k9x2m5n8p1q4r6s0t",
    "batch": "3c5d7e9f1g2h4j6k8m0n",
    "holder": "2f4g6h8j0k1m3n5p7q9r",
    "journal": "payout:P3C5D7E9F1G2H4J:paid",
    "adjustment": "8a0b2c4d6e1f3g5h7j9k",
    "queue": "review",
    "preview": "2h4k6n8q0s1v3x5z7b9d",
    "import": "5j7m9p1r3t5w7y9a1c3e",
    "job": "accrue",
    "partner": "6k8n0q2s4u6w8y0a2c4e",
    "dispute": "4j6m8p0r2t4w6y8a0c2e",
    "day": "2026-11-21",
    "code": "k7m2p9xw",
    "asset": "linkedin_switch",
    "payout": "P3C5D7E9F1G2H4J",
    "booking": "1b3d5f7h9k0m2n4p6q8r",
}
"""An example for each path parameter."""

BODYLESS = frozenset(
    {
        "accept",
        "approve_adjustment",
        "approve_batch",
        "reject_adjustment",
        "restore_version",
        "start_job",
        "withdraw_my_dispute",
    }
)
"""Operations whose body may be left out."""

BODIES: dict[str, dict[str, Any]] = {
    "resolve_booking": {
        "dismissed": {"action": "dismiss", "reason": "A supplier was paid from this account"},
        "matched": {
            "action": "match",
            "reason": "The bank left our reference out and kept 5.00",
            "reference": "P3C5D7E9F1G2H4J",
            "fee_minor": 500,
        },
    },
    "submit_referral": {
        "byClick": {
            "name": "Lena Lead",
            "email": "lena@customers.example",
            "country": "DE",
            "product": "fibre",
            "clicks": ["k7m2p9xw.AAAd6ZmFrZWZha2VmYWtlZmFr"],
            "consent": {"text_version": "2026-11", "given": True},
            "utm": {"utm_source": "newsletter"},
        },
        "byCode": {
            "name": "Lena Lead",
            "email": "lena@customers.example",
            "phone": "+49 30 901820",
            "company": "Lead GmbH",
            "country": "DE",
            "note": "Please call after six.",
            "locale": "de-DE",
            "code": "k7m2p9xw",
            "consent": {"text_version": "2026-11", "given": True},
        },
        "withAnswers": {
            "name": "Lena Lead",
            "email": "lena@customers.example",
            "country": "DE",
            "code": "k7m2p9xw",
            "co_referrers": ["m3n4p5q6"],
            "answers": {"budget": "high", "seats": 40, "urgent": True},
            "size": 120,
            "industry": "health_care",
            "language": "de",
            "consent": {"text_version": "2026-11", "given": True},
        },
    },
    "set_provider": {
        "stripe": {
            "kind": "stripe",
            "url": "https://api.stripe.com",
            "secret": "the-key-from-the-providers-page",
            "webhook_secret": "the-signing-secret-from-there",
        },
        "giftCards": {"kind": "fulfil", "url": "https://rewards.acme.example/orders"},
    },
    "keep_message": {
        "fulfilled": {
            "type": "payout.fulfilled",
            "data": {"reference": "P1A2B3C4D5E6F7G", "amount_minor": 2500, "unit": "EUR"},
        }
    },
    "enter_rates": {
        "daily": {
            "rates": [
                {
                    "from": "EUR",
                    "to": "USD",
                    "rate": "1.0875",
                    "source": "European Central Bank",
                    "at": "2026-11-22T06:00:00Z",
                }
            ]
        }
    },
    "set_greeting": {
        "shown": {
            "display_name": "Pia Partner",
            "message": "I have worked with them for years. They call back within a day.",
            "show": True,
        },
    },
    "enrol": {
        "partner": {
            "program": "telecom",
            "audience": "partners",
            "name": "Pia Partner",
            "email": "pia@partners.example",
            "country": "DE",
            "terms_version": "2026-11",
        },
        "withDeclarations": {
            "program": "telecom",
            "audience": "companies",
            "name": "Rita Reseller",
            "email": "rita@resellers.example",
            "country": "DE",
            "type": "reseller",
            "terms_version": "2026-11",
            "agreements": {"code_of_conduct": "2"},
            "declarations": ["no_kickbacks"],
        },
    },
    "agree": {
        "text": {"agreement": "code_of_conduct", "version": "3"},
        "terms": {"terms_version": "2027-01"},
        "statement": {"declaration": "no_kickbacks"},
    },
    "set_payee": {
        "account": {
            "name": "Pia Partner",
            "iban": "DE75512108001245126199",
            "town": "Hamburg",
            "country": "DE",
        },
        "accountInTheUnitedStates": {
            "method": "ach",
            "name": "Pia Partner",
            "routing": "021000021",
            "account": "123456789",
            "account_type": "checking",
            "town": "New York",
            "country": "US",
        },
        "accountAtAProvider": {
            "method": "paypal",
            "name": "Pia Partner",
            "provider_account": "pia@partners.example",
            "town": "Hamburg",
            "country": "DE",
        },
    },
    "confirm_payee": {"code": {"code": "K7M2-P9XW"}},
    "give_tax_form": {
        "residentOfTheUnitedStates": {
            "country": "US",
            "entity": "individual",
            "name": "Pia Partner",
            "classification": "individual",
            "street": "1 Main Street",
            "city": "New York",
            "region": "NY",
            "postal_code": "10001",
            "tin_type": "ssn",
            "tin": "536-90-4399",
            "signed_by": "Pia Partner",
            "signed_on": "2026-11-22",
            "certified": True,
        },
        "companyInTheEuropeanUnion": {
            "country": "DE",
            "entity": "company",
            "name": "Pia Partner GmbH",
            "street": "Hafenstr. 1",
            "city": "Hamburg",
            "postal_code": "20457",
            "vat_number": "DE136695976",
            "signed_by": "Pia Partner",
            "signed_on": "2026-11-22",
            "certified": True,
        },
    },
    "export_tax_year": {"year": {}},
    "put_list": {
        "twoEntries": {
            "csv": "id,name,aliases,country\r\n"
            "L-1,Maximilian Mustermann,Max Mustermann;M. Mustermann,DE\r\n"
            "L-2,Muster Handel GmbH,,DE\r\n"
        }
    },
    "clear_hit": {"somebodyElse": {"entries": ["L-1"], "reason": "other_person"}},
    "exclude_from_batch": {
        "suspected": {"holder": "6k8n0q2s4u6w8y0a2c4e", "reason": "fraud_check"}
    },
    "cancel_batch": {"giveUp": {"reason": "wrong_rate"}},
    "start_payouts": {"oneRule": {"region": "eu", "currency": "EUR", "method": "sepa"}},
    "resume_payouts": {"mended": {"reason": "books_mended"}},
    "hold_payouts": {"keepBack": {"reason": "fraud_check"}},
    "release_payouts": {"letGo": {"reason": "fraud_check_passed"}},
    "create_link": {
        "toLandingPage": {"campaign": "autumn"},
        "toPage": {
            "destination": "https://shop.northwind-telecom.example/fibre?plan=office",
            "utm": {"utm_medium": "email"},
        },
        "chosenCode": {
            "code": "maria-s",
            "path": "/fibre?plan=office",
            "channel": "linkedin",
            "campaign": "autumn",
            "utm": {"utm_source": "{channel}", "utm_campaign": "{campaign}-{code}"},
            "expires_at": "2027-01-31T23:00:00Z",
        },
        "twoPages": {
            "variants": [
                {"destination": "https://shop.northwind-telecom.example/a", "weight": 3},
                {"destination": "https://shop.northwind-telecom.example/b", "weight": 1},
            ]
        },
    },
    "change_link": {
        "pause": {"status": "suspended"},
        "elsewhere": {"destination": "https://shop.northwind-telecom.example/mobile"},
    },
    "suspend_link": {
        "suspend": {"status": "suspended", "reason": "spam"},
        "letItLeadOn": {"status": "active"},
    },
    "publish_asset": {
        "post": {
            "kind": "social",
            "channel": "linkedin",
            "audiences": ["partners"],
            "texts": {
                "en": {
                    "body": "{opening}\n\nNorthwind installs in a week: {link}",
                    "fields": [
                        {
                            "id": "opening",
                            "label": "Your first sentence",
                            "default": "Our line is fast at last.",
                            "max_length": 200,
                        }
                    ],
                }
            },
        }
    },
    "render_asset": {"own": {"locale": "en", "fields": {"opening": "I am glad we switched."}}},
    "make_cards": {
        "batch": {"count": 50, "campaign": "fair", "expires_at": "2027-06-30T22:00:00Z"}
    },
    "reject": {"declined": {"reason": "not_my_territory"}},
    "annul": {"self_referral": {"reason": "self_referral"}},
    "withdraw": {"by_phone": {"channel": "phone"}},
    "withdraw_own": {"by_mail": {"channel": "email"}},
    "estimate_rewards": {
        "sale": {"audience": "partners", "amount_minor": 500000, "currency": "EUR"},
        "items": {
            "audience": "partners",
            "currency": "EUR",
            "country": "DE",
            "size": 120,
            "involvement": "assisted",
            "successes": 4,
            "items": [
                {"product": "fibre", "amount_minor": 400000},
                {"product": "mobile", "amount_minor": 100000, "quantity": 5},
            ],
        },
    },
    "propose_adjustment": {
        "opening": {
            "holder": "2f4g6h8j0k1m3n5p7q9r",
            "kind": "opening",
            "currency": "EUR",
            "amount_minor": 12_500,
            "reason": "Balance of the system used before",
        },
        "debit": {
            "holder": "2f4g6h8j0k1m3n5p7q9r",
            "kind": "debit",
            "currency": "EUR",
            "amount_minor": 2_000,
            "reason": "Paid twice in October by hand",
            "accounting_class": "marketing_expense",
        },
    },
    "publish_version": {"telecom": _PROGRAM},
    "validate_version": {"telecom": _PROGRAM},
    "request_import": {
        "leads": {"kind": "referrals", "bytes": 48_210, "consent_version": "2026-11"},
        "migration": {"kind": "partners", "bytes": 91_500, "audience": "partners"},
    },
    "request_own_import": {
        "leads": {"kind": "referrals", "bytes": 1_830, "consent_version": "2026-11"},
    },
    "request_preview": {
        "past": {
            "document": _PROGRAM,
            "data": {"kind": "past", "from": "2026-01-01", "until": "2026-10-31"},
        },
        "upload": {"document": _PROGRAM, "data": {"kind": "upload", "bytes": 48213}},
    },
    "put_accounts": {
        "lists": {
            "accounts": [
                {"kind": "customer", "domain": "lead.example"},
                {
                    "kind": "open",
                    "email": "lena.lead@lead.example",
                    "rep": "anna-berlin",
                    "until": "2027-03-31",
                },
            ]
        }
    },
    "merge": {"later": {"into": "2q4s6v8x1z3b5d7f9h0j"}},
    "put_prospects": {
        "list": {
            "prospects": [
                {
                    "email": "rita@resellers.example",
                    "type": "reseller",
                    "segment": "gold",
                    "score": 9,
                    "customer_since": "2024-02-29",
                    "owner": "anna-berlin",
                }
            ]
        }
    },
    "add_source": {"billing": {"source": "billing"}},
    "add_rep": {
        "rep": {
            "id": "anna-berlin",
            "login": "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
            "name": "Anna Berger",
            "email": "anna@northwind-telecom.example",
            "region": "eu",
        }
    },
    "change_rep": {
        "territoryAndHours": {
            "countries": ["DE", "AT"],
            "languages": ["de", "en"],
            "min_size": 50,
            "capacity": 20,
            "time_zone": "Europe/Berlin",
            "hours": {"mon": [{"from": "09:00", "to": "12:30"}, {"from": "13:00", "to": "17:00"}]},
        },
        "away": {"active": False},
    },
    "set_owner": {"rep": {"rep": "anna-berlin"}, "nobody": {"rep": ""}},
    "ask_as_manager": {
        "byRule": {
            "rule": "happy_customer",
            "people": [{"email": "nina@partners.example", "name": "Nina Neu", "country": "DE"}],
        }
    },
    "ask_as_rep": {
        "toAudience": {"audience": "partners", "people": [{"email": "nina@partners.example"}]}
    },
    "invite_as_rep": {
        "colleague": {
            "name": "Nina Neu",
            "email": "nina@partners.example",
            "audience": "partners",
            "country": "DE",
            "locale": "de",
        }
    },
    "invite_as_manager": {
        "employeeOfPartner": {
            "name": "Nina Neu",
            "email": "nina@partners.example",
            "audience": "partners",
            "country": "DE",
            "organization": "neu-gmbh",
            "owner": "anna",
        }
    },
    "enter_referral": {
        "fromSomebodyUnknown": {
            "name": "Lena Lead",
            "phone": "+49 30 1234567",
            "country": "DE",
            "company": "Lead AG",
            "note": "Told me at the fair in Berlin",
            "said_at": "2026-11-20T09:30:00Z",
            "consent": {"text_version": "1", "given": True, "at": "2026-11-20T09:30:00Z"},
            "partner": {
                "name": "Nina Neu",
                "email": "nina@partners.example",
                "audience": "partners",
                "country": "DE",
                "locale": "de",
            },
        },
        "fromAPartner": {
            "name": "Lena Lead",
            "email": "lena@customer.example",
            "country": "DE",
            "consent": {"text_version": "1", "given": True, "at": "2026-11-20T09:30:00Z"},
            "partner": {"id": "0123456789abcdefghjk"},
        },
    },
    "assess": {"coSold": {"rating": 4, "involvement": {"0123456789abcdefghjk": "co_sold"}}},
    "assign": {"rep": {"rep": "anna-berlin"}},
    "report_conversion": {
        "saleOfAClick": {
            "type": "sale.recorded",
            "data": {
                "click": "spring-26.AAB3f9kQm2Xw8ZrT5vY1uP0s",
                "email": "lena@customers.example",
                "sale": "INV-2026-1003",
                "amount_minor": 49900,
                "currency": "EUR",
                "occurred_at": "2026-12-01T09:00:00Z",
            },
        },
    },
    "match_conversion": {"lead": {"referral": "7w3k9x2m5n8p1q4r6s0t"}},
    "dismiss_conversion": {"notReferred": {"reason": "not_referred"}},
    "receive": {
        "leadCreated": {
            "type": "lead.created",
            "data": {
                "external_id": "customer-4711",
                "email": "lena@customers.example",
                "code": "spring-26",
                "lead": {"name": "Lena Lead", "country": "DE", "company": "Muster GmbH"},
                "at": "2026-11-22T11:17:00Z",
            },
        },
        "advocacyRecorded": {
            "type": "advocacy.recorded",
            "data": {
                "event": "survey_answered",
                "score": 10,
                "email": "nina@partners.example",
                "name": "Nina Neu",
                "country": "DE",
                "at": "2026-11-22T11:17:00Z",
            },
        },
        "stageChanged": {
            "type": "stage.changed",
            "data": {
                "referral": "7w3k9x2m5n8p1q4r6s0t",
                "external_id": "006Dn00000A1b2C",
                "stage": "Proposal/Price Quote",
                "at": "2026-11-22T11:17:00Z",
            },
        },
        "saleRecorded": {
            "type": "sale.recorded",
            "data": {
                "referral": "7w3k9x2m5n8p1q4r6s0t",
                "sale": "INV-2026-1001",
                "amount_minor": 500000,
                "currency": "EUR",
                "occurred_at": "2026-11-22T11:17:00Z",
            },
        },
        "saleWithItems": {
            "type": "sale.recorded",
            "data": {
                "external_id": "006Dn00000A1b2C",
                "sale": "INV-2026-1002",
                "amount_minor": 120000,
                "currency": "EUR",
                "occurred_at": "2026-12-01T09:00:00Z",
                "items": [
                    {"product": "fibre", "amount_minor": 90000, "quantity": 3},
                    {"product": "mobile", "amount_minor": 30000},
                ],
                "metadata": {"plan": "office-2"},
            },
        },
        "eventRecorded": {
            "type": "event.recorded",
            "data": {
                "referral": "7w3k9x2m5n8p1q4r6s0t",
                "event": "upgraded",
                "id": "UPG-17",
                "at": "2026-12-01T09:00:00Z",
                "amount_minor": 20000,
                "currency": "EUR",
            },
        },
        "saleRefunded": {
            "type": "sale.refunded",
            "data": {
                "referral": "7w3k9x2m5n8p1q4r6s0t",
                "sale": "INV-2026-1001",
                "refund": "CN-2026-17",
                "amount_minor": 100000,
                "at": "2026-11-29T09:00:00Z",
            },
        },
        "customerChurned": {
            "type": "customer.churned",
            "data": {"referral": "7w3k9x2m5n8p1q4r6s0t", "at": "2027-01-31T00:00:00Z"},
        },
    },
    "open_my_dispute": {
        "byReferral": {
            "reason": "referred_first",
            "referral": "7w3k9x2m5n8p1q4r6s0t",
            "comment": "I introduced them in October, see my mail to your team.",
        },
        "byAddress": {"reason": "not_credited", "email": "lena@customers.example"},
    },
    "comment_my_dispute": {"addition": {"comment": "They confirm it and would talk to you."}},
    "open_rep_dispute": {
        "forAPartner": {"reason": "wrong_partner", "partner": "9b1d3f5h7k9n2q4s6v8x"},
    },
    "open_dispute": {
        "forAPartner": {
            "referral": "7w3k9x2m5n8p1q4r6s0t",
            "reason": "co_referrer_missing",
            "partner": "9b1d3f5h7k9n2q4s6v8x",
        },
    },
    "comment_dispute": {"note": {"comment": "Called both; they agree to share it."}},
    "decide_dispute": {
        "upheld": {
            "outcome": "upheld",
            "reason": "earlier_touch",
            "referral": "7w3k9x2m5n8p1q4r6s0t",
        },
        "shared": {
            "outcome": "split",
            "reason": "joint_work",
            "credit": [
                {"partner": "9b1d3f5h7k9n2q4s6v8x", "basis_points": 5000},
                {"partner": "1c3e5g7j9m2p4r6t8w0y", "basis_points": 5000},
            ],
        },
        "rejected": {"outcome": "rejected", "reason": "no_evidence"},
    },
}
"""Bodies by operation and example name."""
