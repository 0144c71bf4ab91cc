"""From facts to a verdict: flags, action, reasons, messages, categories and evidence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from processors.policy import LANG_UNSUPPORTED, EffectivePolicy, Facts, Policy, PostFacts
from schemas import Action, Media, Modality, Post, Priority, Status

EffectiveOf = Callable[..., EffectivePolicy]
FactsOf = Callable[..., Facts]

TWO_RULES = """
    rules:
      hate-review: {when: '"hate" in flags', action: review, code: hate, message: {en: Perhaps hate.}}
      hate-block: {when: scores.hate >= 0.9, action: block, code: hate, guideline: rules#1, message: {en: Hate.}}
"""


def test_a_label_is_a_flag_only_over_its_threshold(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("thresholds: {hate: 0.5}")
    assert effective.evaluate(facts_of({"hate": 0.5})).flags == ()
    verdict = effective.evaluate(facts_of({"hate": 0.501}))
    assert verdict.flags == ("hate",)
    assert verdict.thresholds == {"hate": 0.5}


def test_a_threshold_of_one_turns_a_label_off_and_zero_takes_all(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("thresholds: {hate: 1, insult: 0}")
    verdict = effective.evaluate(facts_of({"hate": 1.0, "insult": 0.001}))
    assert verdict.flags == ("insult",)
    assert verdict.severity == 1


def test_flags_come_in_the_taxonomy_s_order_with_refinements_of_hate(
    effective_of: EffectiveOf, facts_of: FactsOf
) -> None:
    effective = effective_of("thresholds: {hate.religion: 0.05}")
    targets = {"religion": 0.1, "race": 0.8, "sex": 0.5}
    verdict = effective.evaluate(facts_of({"insult": 0.9, "hate": 0.9, "abuse": 0.9}, targets=targets))
    assert verdict.flags == ("abuse", "hate", "hate.race", "hate.religion", "insult")
    assert verdict.thresholds["hate.religion"] == 0.05
    assert verdict.thresholds["hate.race"] == 0.5


def test_a_target_without_a_threshold_in_the_pack_is_no_flag(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    verdict = effective_of("thresholds: {hate.age: 0.1}").evaluate(facts_of({"hate": 0.9}, targets={"age": 0.9}))
    assert verdict.flags == ("hate",)


def test_targets_count_only_when_hate_is_flagged(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    verdict = effective_of("{}").evaluate(facts_of({"abuse": 0.9}, targets={"race": 0.99}))
    assert verdict.flags == ("abuse",)


def test_without_a_matching_rule_a_post_is_approved_also_when_flagged(
    effective_of: EffectiveOf, facts_of: FactsOf
) -> None:
    verdict = effective_of("{}").evaluate(facts_of({"profanity": 0.99}))
    assert (verdict.action, verdict.flags, verdict.reasons) == (Action.APPROVE, ("profanity",), ())


def test_the_strictest_matching_rule_decides_and_every_one_is_a_reason(
    effective_of: EffectiveOf, facts_of: FactsOf
) -> None:
    verdict = effective_of(TWO_RULES).evaluate(facts_of({"hate": 0.95}))
    assert verdict.action is Action.BLOCK
    assert [(reason.rule, reason.code, reason.guideline, reason.text) for reason in verdict.reasons] == [
        ("hate-block", "hate", "rules#1", "Hate."),
        ("hate-review", "hate", None, "Perhaps hate."),
    ]
    assert effective_of(TWO_RULES).evaluate(facts_of({"hate": 0.6})).action is Action.REVIEW


def test_a_rule_s_flags_are_added_once_after_the_labels(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("""
        rules:
          z: {when: 'true', action: approve, flags: [zeta, alpha], message: {en: Z.}}
          a: {when: scores.hate > 0.5, action: approve, flags: [alpha, beta.two], message: {en: A.}}
    """)
    verdict = effective.evaluate(facts_of({"hate": 0.9}, flags=("lang.unsupported",)))
    assert verdict.flags == ("hate", "lang.unsupported", "alpha", "beta.two", "zeta")
    assert "alpha" not in verdict.thresholds


def test_a_rule_without_a_code_has_its_name_as_code(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    (reason,) = rule_of("true").evaluate(facts_of()).reasons
    assert (reason.rule, reason.code) == ("it", "it")


MESSAGES = """
    message_language: fr
    rules:
      it:
        when: 'true'
        action: review
        message: {en: English, de: Deutsch, fr: Français}
"""


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("de", "Deutsch"),
        ("de-AT", "Deutsch"),
        ("en", "English"),
        ("tr", "Français"),
        ("", "Français"),
        ("und", "Français"),
    ],
)
def test_a_reason_speaks_the_post_s_language_else_the_policy_s(
    effective_of: EffectiveOf, facts_of: FactsOf, lang: str, text: str
) -> None:
    (reason,) = effective_of(MESSAGES).evaluate(facts_of(post={"lang": lang})).reasons
    assert reason.text == text


def test_a_reason_speaks_english_where_nothing_else_fits(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("""
        message_language: fr
        rules: {it: {when: 'true', action: review, message: {en: English, de: Deutsch}}}
    """)
    (reason,) = effective.evaluate(facts_of(post={"lang": "tr"})).reasons
    assert reason.text == "English"


def test_placeholders_are_of_the_most_probable_label_of_the_rule(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("""
        categories: {hate: hateful_conduct}
        rules:
          it:
            when: '"hate" in flags || scores.abuse > 0.9 || has(scores.spam)'
            action: review
            message: {en: "{label}, for us {category}, at {score} over {threshold}; {label}"}
    """)
    (reason,) = effective.evaluate(facts_of({"hate": 0.876, "abuse": 0.3})).reasons
    assert reason.text == "hate, for us hateful_conduct, at 0.88 over 0.40; hate"
    (reason,) = effective.evaluate(facts_of({"hate": 0.876, "abuse": 0.95})).reasons
    assert reason.text == "abuse, for us abuse, at 0.95 over 0.50; abuse"


def test_a_category_with_braces_cannot_be(problems_of: Callable[..., list[object]]) -> None:
    text = 'schema: policy/1\nname: a\nversion: "1"\nlayers:\n  default: {categories: {hate: "{score}"}}\n'
    assert len(problems_of(text)) == 1


def test_a_code_that_is_a_label_is_written_as_the_tenant_s_category(
    policy_of: Callable[..., Policy], facts_of: FactsOf
) -> None:
    policy = policy_of("""
        default:
          rules: {it: {when: scores.hate > 0.5, action: review, code: hate, message: {en: Hate.}}}
        tenants:
          acme: {categories: {hate: hateful_conduct}}
    """)
    facts = facts_of({"hate": 0.9})
    assert policy.effective("acme", None, None).evaluate(facts).reasons[0].code == "hateful_conduct"
    assert policy.effective("other", None, None).evaluate(facts).reasons[0].code == "hate"


def test_evidence_is_joined_to_the_reasons_by_label(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    effective = effective_of("""
        rules:
          both: {when: scores.hate > 0.5 && scores.abuse > 0.5, action: review, message: {en: Both.}}
          hate: {when: '"hate.race" in flags || scores.hate > 0.5', action: block, message: {en: Hate.}}
          none: {when: 'true', action: approve, message: {en: None.}}
    """)
    verdict = effective.evaluate(facts_of({"hate": 0.9, "abuse": 0.9}))
    assert verdict.reason_labels == (("hate",), ("abuse", "hate"), ())
    assert all(reason.evidence == () for reason in verdict.reasons)
    joined = verdict.with_evidence({"hate": (2, 0), "abuse": (1, 2)})
    assert [reason.evidence for reason in joined.reasons] == [(0, 2), (0, 1, 2), ()]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status.PARTIAL, "A limit left part of the text in the pictures unread."),
        (Status.FAILED, "The text in the pictures could not be read."),
        (Status.UNSAFE, "The text in the pictures was read, but cannot be trusted."),
    ],
)
def test_a_modality_that_was_not_read_is_never_approved(
    effective_of: EffectiveOf, facts_of: FactsOf, status: Status, text: str
) -> None:
    facts = facts_of(modalities={"ocr": Modality(status=status, reason="because")})
    verdict = effective_of("{}").evaluate(facts)
    assert verdict.action is Action.REVIEW
    (reason,) = verdict.reasons
    assert (reason.rule, reason.code, reason.text) == ("floor.modality", f"modality.{status.value}", text)
    assert verdict.errors == ()


@pytest.mark.parametrize("status", [Status.OK, Status.ABSENT])
def test_a_modality_that_is_read_or_absent_is_no_reason(
    effective_of: EffectiveOf, facts_of: FactsOf, status: Status
) -> None:
    verdict = effective_of("{}").evaluate(facts_of(modalities={"ocr": Modality(status=status)}))
    assert (verdict.action, verdict.reasons) == (Action.APPROVE, ())


def test_a_post_of_which_nothing_was_read_is_reviewed_and_counts_as_no_error(effective_of: EffectiveOf) -> None:
    facts = Facts(scores={}, post=PostFacts(), modalities={"text": Modality(status=Status.FAILED, reason="because")})
    verdict = effective_of(TWO_RULES).evaluate(facts)
    assert (verdict.action, verdict.errors) == (Action.REVIEW, ())


@pytest.mark.parametrize(("setting", "action"), [("review", Action.REVIEW), ("block", Action.BLOCK)])
def test_an_unsupported_language_is_never_approved(
    effective_of: EffectiveOf, facts_of: FactsOf, setting: str, action: Action
) -> None:
    verdict = effective_of(f"unsupported_language_action: {setting}").evaluate(facts_of(flags=(LANG_UNSUPPORTED,)))
    assert verdict.action is action
    assert verdict.flags == ("lang.unsupported",)
    assert [(reason.rule, reason.code) for reason in verdict.reasons] == [("floor.language", "lang.unsupported")]


def test_floors_do_not_weaken_what_rules_ask_for(rule_of: EffectiveOf, facts_of: FactsOf) -> None:
    facts = facts_of(flags=(LANG_UNSUPPORTED,), modalities={"image": Modality(status=Status.FAILED, reason="because")})
    verdict = rule_of("true", "block").evaluate(facts)
    assert verdict.action is Action.BLOCK
    assert [reason.rule for reason in verdict.reasons] == ["it", "floor.language", "floor.modality"]


@pytest.mark.parametrize(
    "when",
    [
        'scores["hate"] > 0.8',
        '"hate" in scores && has(scores.hate)',
        '"hate" in flags && "hate.race" in flags',
        "flags.exists(f, f.startsWith('hate.'))",
        "size(flags) == 2 && flags.size() == 2",
        "size(flags.filter(f, f != 'hate')) == 1",
        "flags.all(f, f.startsWith('hate')) && flags.exists_one(f, f == 'hate')",
        "severity == 3",
        "post.tenant == 'acme' && post.region != '' && post.platform.contains('web')",
        "post.reach > 1000 && post.reach < 1e7",
        "post.priority in ['high', 'urgent']",
        "post.lang == 'de' && post.text_length >= 20 && post.account_type.endsWith('ed')",
        "'video' in post.kinds && !('audio' in post.kinds)",
        "modalities.ocr.status == 'ok' && modalities.ocr.score >= 0.7 && modalities.ocr.confidence < 0.5",
        "modalities.speech.status == 'absent' && modalities.speech.score == 0.0",
        "features.letters > 10.0 && has(features.letters) && !has(features.other)",
        "scores.hate * 2.0 > 1.6 ? true : false",
        "(scores.hate + scores.abuse) / 2.0 > 0.4 // a comment",
        "int(scores.hate * 100.0) == 90 && double(severity) > 2.5 && string(severity) == '3'",
    ],
)
def test_conditions_can_speak_of_every_fact(rule_of: EffectiveOf, facts_of: FactsOf, when: str) -> None:
    facts = facts_of(
        {"hate": 0.9},
        targets={"race": 0.9},
        modalities={"ocr": Modality(status=Status.OK, score=0.7, confidence=0.4)},
        features={"letters": 12},
        post={
            "tenant": "acme",
            "region": "EU",
            "platform": "the web",
            "account_type": "verified",
            "reach": 5000.5,
            "priority": "high",
            "lang": "de",
            "kinds": ("image", "video"),
            "text_length": 20,
        },
    )
    verdict = rule_of(when, extra="severity: {hate: 2}").evaluate(facts)
    assert verdict.errors == ()
    assert [reason.rule for reason in verdict.reasons] == ["it"]


def test_what_a_post_does_not_say_is_empty_or_zero() -> None:
    assert PostFacts.of(Post(post_id="p", text="héé"), "en") == PostFacts(lang="en", text_length=3)
    media = (
        Media(media_id="b", kind="video", uri="https://example.org/b"),
        Media(media_id="a", kind="image", uri="https://example.org/a"),
        Media(media_id="c", kind="video", uri="https://example.org/c"),
    )
    full = Post(post_id="p", tenant="acme", region="EU", reach=7, priority=Priority.HIGH, lang="fr", media=media)
    expected = PostFacts(
        tenant="acme", region="EU", reach=7, priority="high", lang="de", kinds=("image", "video"), text_length=0
    )
    assert PostFacts.of(full, "de") == expected


def test_the_same_facts_give_the_same_verdict(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    facts = facts_of({"hate": 0.95, "insult": 0.6}, targets={"race": 0.9}, flags=(LANG_UNSUPPORTED,))
    first = effective_of(TWO_RULES).evaluate(facts)
    assert all(effective_of(TWO_RULES).evaluate(facts) == first for _ in range(20))


def test_the_order_of_the_file_and_of_the_facts_does_not_count(effective_of: EffectiveOf, facts_of: FactsOf) -> None:
    lines = TWO_RULES.strip("\n").split("\n")
    turned = "\n".join([lines[0], *reversed(lines[1:3])])
    facts = facts_of(
        {"hate": 0.95, "abuse": 0.8}, modalities={"image": Modality(status=Status.FAILED, reason="because")}
    )
    backwards = Facts(
        scores=dict(reversed(list(facts.scores.items()))),
        post=facts.post,
        modalities=dict(reversed(list(facts.modalities.items()))),
    )
    assert effective_of(TWO_RULES).evaluate(facts) == effective_of(turned).evaluate(backwards)
