"""What the heads of a text expert may be: labels, and under dotted names what is known of a post besides its labels."""

from __future__ import annotations

from schemas import ATTACKS, GRADED_SEVERITIES, LABELS, REFINED_LABEL, TARGETS

TARGET_HEADS = {f"target.{target}": target for target in TARGETS}
"""Head -> whom the post is aimed at."""

ATTACK_HEADS = {f"attack.{attack}": attack for attack in ATTACKS}
"""Head -> how it attacks."""

IMPLICIT = "implicit"
"""Whether what is abusive is so without saying it openly; it means nothing of a post that is not abusive."""

SEVERITY_HEADS = {f"severity.{least}": least for least in GRADED_SEVERITIES}
"""Head -> the severity that the post has at least."""

DETAIL_HEADS = (*TARGET_HEADS, *ATTACK_HEADS, IMPLICIT, *SEVERITY_HEADS)
TEXT_HEADS = (*LABELS, *DETAIL_HEADS)

POLICY_NAMES = {
    **{label: label for label in LABELS},
    **{head: f"{REFINED_LABEL}.{target}" for head, target in TARGET_HEADS.items()},
    **{head: head for head in SEVERITY_HEADS},
}
"""Head -> what policies call its threshold; of heads without such a name the policy knows nothing."""

EXPECTED_HEAD = (
    f"one of {', '.join(LABELS)}, target.<t> with one of {', '.join(TARGETS)}, attack.<a> with one of"
    f" {', '.join(ATTACKS)}, {IMPLICIT}, or one of {', '.join(SEVERITY_HEADS)}"
)
