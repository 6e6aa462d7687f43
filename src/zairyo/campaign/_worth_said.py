"""The answer to whether a measurement is worth making, in words, English or Japanese."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zairyo.campaign._worth import Gain, Language, Sense, Verdict, Worth

#: Verdicts where the descriptor is known of the sample to be predicted, and where of made ones only → the answer.
_ANSWERS: dict[tuple[Verdict, Verdict], tuple[str, str]] = {
    ("worth making", "worth making"): (
        "worth measuring, also to predict samples that are not made yet",
        "測定する価値があります（未作製の試料の予測にも役立ちます）",
    ),
    ("worth making", "not worth making"): (
        "worth measuring on samples that are to be predicted; for those not made yet it brings nothing",
        "予測したい試料で測定する価値があります（未作製の試料の予測には役立ちません）",
    ),
    ("worth making", "not settled"): (
        "worth measuring on samples that are to be predicted; for those not made yet that is not settled",
        "予測したい試料で測定する価値があります（未作製の試料については結論が出ていません）",
    ),
    ("not settled", "worth making"): (
        "worth measuring: what it teaches about made samples helps to predict others",
        "測定する価値があります（作製済みの試料から学べることが、他の試料の予測に役立ちます）",
    ),
    ("not worth making", "worth making"): (
        "worth measuring: what it teaches about made samples helps to predict others",
        "測定する価値があります（作製済みの試料から学べることが、他の試料の予測に役立ちます）",
    ),
    ("not worth making", "not worth making"): (
        "not worth measuring for this property",
        "この物性のために測定する価値はありません",
    ),
    ("not worth making", "not settled"): (
        "no gain where it is measured; for samples not made yet that is not settled",
        "測定した試料では効果がありません（未作製の試料については結論が出ていません）",
    ),
    ("not settled", "not worth making"): (
        "not settled; measure a few more samples before deciding",
        "まだ結論が出ません。あと数試料を測定してから判断してください",
    ),
    ("not settled", "not settled"): (
        "not settled; measure a few more samples before deciding",
        "まだ結論が出ません。あと数試料を測定してから判断してください",
    ),
}
_SENSES: dict[Sense, tuple[str, str]] = {
    "known": ("Measured of the sample to be predicted too:", "予測したい試料でも測定する場合："),
    "made only": (
        "Measured of made samples only, and predicted for the others:",
        "作製済みの試料だけで測定し、他の試料では予測値を使う場合：",
    ),
}
_VERDICTS: dict[Verdict, str] = {
    "worth making": "価値あり",
    "not worth making": "価値なし",
    "not settled": "結論なし",
}


def text(worth: Worth, language: Language) -> str:
    """The whole answer: a verdict a descriptor, and the errors it rests on."""
    without, with_ = _heads(language)
    parts = [_question(worth, language), _basis(worth, language), "", verdict(worth, language)]
    for sense, told in _SENSES.items():
        mine = [one for one in worth.gains if one.sense == sense]
        wide = max(len(_title(one, language)) for one in mine)
        parts += ["", _in(told, language), f"  {'':{wide}}  {without:>13}  {with_:>10}"]
        parts += [
            f"  {_title(one, language):{wide}}  {one.without:13.4g}  {one.with_:10.4g}  "
            f"{sentence(worth, one, language)}"
            for one in mine
        ]
    return "\n".join(parts)


def html_of(worth: Worth, language: Language) -> str:
    """The same for a notebook."""
    without, with_ = _heads(language)
    rows = []
    for sense, told in _SENSES.items():
        rows.append(
            f'<tr><th colspan="4" style="text-align:left">{html.escape(_in(told, language))}</th></tr>'
        )
        rows += [
            f"<tr><td>{html.escape(_title(one, language))}</td><td>{one.without:.4g}</td><td>{one.with_:.4g}</td>"
            f'<td style="text-align:left">{html.escape(sentence(worth, one, language))}</td></tr>'
            for one in worth.gains
            if one.sense == sense
        ]
    head = f"<tr><th></th><th>{without}</th><th>{with_}</th><th></th></tr>"
    answer = html.escape(verdict(worth, language)).replace("\n", "<br>")
    return (
        f"<p><b>{html.escape(_question(worth, language))}</b><br>{answer}</p>"
        f"<table>{head}{''.join(rows)}</table><p>{html.escape(_basis(worth, language))}</p>"
    )


def verdict(worth: Worth, language: Language) -> str:
    """The plain answer, a line a descriptor."""
    lines = []
    for known in (one for one in worth.gains if one.sense == "known"):
        made = worth.of(*known.descriptors, sense="made only")
        answer = _in(_ANSWERS[known.verdict, made.verdict], language)
        lines.append(f"{_title(known, language)}{_in((': ', '：'), language)}{answer}")
    return "\n".join(lines)


def sentence(worth: Worth, gain: Gain, language: Language) -> str:
    """What a gain means."""
    low, high = _change(gain.lower, language), _change(gain.upper, language)
    needed = worth.samples_needed(gain)
    needed = needed if needed and needed < 20 * worth.samples else None
    if language == "ja":
        span = f"誤差は {_change(gain.gain, language)}（{low} 〜 {high}）"
        more = f"。約 {needed} 試料あれば結論が出る見込みです" if needed else ""
        return f"{_VERDICTS[gain.verdict]}：{span}{more}"
    span = f"error {_change(gain.gain, language)} ({low} to {high})"
    if gain.verdict != "not settled":
        return f"{gain.verdict}: {span}"
    more = f"; about {needed} samples would settle it" if needed else ""
    return f"not settled with {worth.samples} samples: {span}{more}"


def _in(told: tuple[str, str], language: Language) -> str:
    return told[language == "ja"]


def _heads(language: Language) -> tuple[str, str]:
    return _in(("error without", "なしの誤差"), language), _in(("with", "ありの誤差"), language)


def _question(worth: Worth, language: Language) -> str:
    return _in(
        (
            f"Is it worth measuring, to predict {worth.target}?",
            f"{worth.target} を予測するために測定する価値はありますか？",
        ),
        language,
    )


def _basis(worth: Worth, language: Language) -> str:
    if language == "ja":
        lost = f"（値が欠けている {worth.left_out} 試料を除く）" if worth.left_out else ""
        return (
            f"{worth.samples} 試料{lost}、{worth.repeats} × {worth.folds} 分割の入れ子交差検証、"
            f"{100 * worth.level:.0f} % 区間（試料の重なりと行数を補正）"
            f"{f'、誤差の単位 {worth.unit}' if worth.unit else ''}"
        )
    lost = f" ({worth.left_out} left out: a value is missing)" if worth.left_out else ""
    return (
        f"{worth.samples} samples{lost}; {worth.repeats} × {worth.folds}-fold nested cross-validation; "
        f"{100 * worth.level:.0f} % intervals, corrected for shared samples and for the number of rows"
        f"{f'; errors in {worth.unit}' if worth.unit else ''}"
    )


def _title(gain: Gain, language: Language) -> str:
    return gain.descriptors[0] if len(gain.descriptors) == 1 else _in(("all together", "すべて"), language)


def _change(gain: float, language: Language) -> str:
    if round(100 * gain) == 0:
        return _in(("the same", "変わらず"), language)
    if language == "ja":
        return f"{100 * abs(gain):.0f} % {'減' if gain > 0 else '増'}"
    return f"{100 * abs(gain):.0f} % {'lower' if gain > 0 else 'higher'}"
