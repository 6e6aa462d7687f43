"""What is said of how far a campaign is, and of what more will bring, in English or Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from zairyo.campaign._base import CampaignError

_EN = {
    # how far it is
    "wanted": "Wanted: {sought} (aim: {aim}).",
    "aim": "Wanted: {aim}.",
    "between": "; ",
    "count": "{told} experiments made, {failed} failed, {pending} under way, {rejected} rejected.",
    "count one": "1 experiment made, {failed} failed, {pending} under way, {rejected} rejected.",
    "strange one": "Experiment {number} is not among the candidates (settings mistyped?), and learned from all the "
    "same.",
    "strange": "{count} of them are not among the candidates (settings mistyped?), and learned from all the same.",
    "earlier": "Learned from {count} experiments of {names} besides.",
    "best": "Best so far: experiment {number}, {came} ({settings}).",
    "balance": "Best balance so far: experiment {number}, {came} ({settings}).",
    "held": "Of {count} predictions, {held} lay in their 90 % range ({share}).",
    "little": "less than 1 %",
    # what more will bring
    "no outcome": "No outcome is sought, so nothing can be said of what more will bring.",
    "too few": "With {told} experiments that gave an outcome nothing can be said of what more will bring.",
    "too few one": "With 1 experiment that gave an outcome nothing can be said of what more will bring.",
    "nothing left": "There is nothing left to make: every candidate was made, is under way or was rejected.",
    "incomplete": "No experiment has given all outcomes yet, so nothing can be said of what more will bring.",
    "all alike": "All experiments were as good as each other so far: nothing can be said of what more will bring.",
    "by one": "by {gain}, {share} of the range measured so far",
    "by several": "by {share} of the ranges measured so far, taken together",
    "another": "Another {more} experiments are",
    "another can": "Another {more} experiments",
    "another one": "One more experiment is",
    "another one can": "One more experiment",
    "more": "{another} expected to improve the best {by}; {chance} probability that one is better"
    "{kept}. {advice}",
    "kept": " (earlier picks brought {kept} of what was promised of them, which is counted in)",
    "stop": "Stopping is reasonable.",
    "go on": "Going on is worth it if that is worth their cost.",
    "unknown": "Nothing is known of the outcomes yet.",
    "model": "{another} can remove {share} of what is not known of all candidates (mean variance). {advice}",
    "phases unknown": "Too little is known of the phases to say what more experiments will bring.",
    "phases": "The phase of {share} of the candidates is not yet known with {sure} probability.",
    # the random control arm
    "arms": "{chosen} experiments of the strategy, {random} drawn at random",
    "arms few": "{arms}: too few of both to be compared.",
    "arms compared": "{arms}. The strategy's lie {difference} % of the measured range above the random ones on average "
    "(95 % interval {lower} to {upper} %): {verdict} than chance.",
    "better": "better",
    "worse": "worse",
    "neither": "neither clearly better nor worse",
}
_JA = {
    "wanted": "目標：{sought}（目的：{aim}）。",
    "aim": "目的：{aim}。",
    "between": "、",
    "count": "実施 {told} 件、失敗 {failed} 件、進行中 {pending} 件、却下 {rejected} 件。",
    "count one": "実施 1 件、失敗 {failed} 件、進行中 {pending} 件、却下 {rejected} 件。",
    "strange one": "実験 {number} は候補にありません（設定の入力ミス？）。学習には使っています。",
    "strange": "このうち {count} 件は候補にありません（設定の入力ミス？）。学習には使っています。",
    "earlier": "ほかに {names} の実験 {count} 件からも学習しました。",
    "best": "これまでの最良：実験 {number}、{came}（{settings}）。",
    "balance": "これまでの最良の妥協点：実験 {number}、{came}（{settings}）。",
    "held": "予測 {count} 件のうち {held} 件が 90 % 範囲に入りました（{share}）。",
    "little": "1 % 未満",
    "no outcome": "求める結果がないため、続けた場合の効果は分かりません。",
    "too few": "結果のある実験が {told} 件では、続けた場合の効果は分かりません。",
    "too few one": "結果のある実験が 1 件では、続けた場合の効果は分かりません。",
    "nothing left": "残りの候補はありません（すべて実施済み、進行中、または却下済みです）。",
    "incomplete": "すべての結果がそろった実験がまだないため、続けた場合の効果は分かりません。",
    "all alike": "これまでの実験はすべて同じ良さのため、続けた場合の効果は分かりません。",
    "by one": "{gain}（これまでの測定範囲の {share}）",
    "by several": "これまでの測定範囲の合計 {share}",
    "another": "あと {more} 件の実験で",
    "another can": "あと {more} 件の実験で",
    "another one": "あと 1 件の実験で",
    "another one can": "あと 1 件の実験で",
    "more": "{another}、最良値に {by}の改善が見込まれます。これまでを上回る確率は {chance} です{kept}。"
    "{advice}",
    "kept": "（以前の提案は見込みの {kept} を達成しており、これを考慮しています）",
    "stop": "終了してよい段階です。",
    "go on": "費用に見合うなら、続ける価値があります。",
    "unknown": "結果についてまだ何も分かっていません。",
    "model": "{another}、全候補の不確かさ（平均分散）の {share} を減らせます。{advice}",
    "phases unknown": "相についてまだ分かっていることが少なく、続けた場合の効果は分かりません。",
    "phases": "候補の {share} は、相がまだ {sure} の確率では分かっていません。",
    "arms": "提案による実験 {chosen} 件、無作為の実験 {random} 件",
    "arms few": "{arms}：比較するには少なすぎます。",
    "arms compared": "{arms}。提案は無作為より、平均で測定範囲の {difference} % 上回りました"
    "（95 % 区間 {lower}〜{upper} %）：{verdict}。",
    "better": "無作為より優れています",
    "worse": "無作為より劣っています",
    "neither": "明らかな差はありません",
}
_AIMS_JA = {
    "best value": "最良値",
    "accurate model": "正確なモデル",
    "within a range": "範囲内",
    "map of phases": "相図",
    "something new": "新規探索",
    "references": "参照試料",
    "composition spread": "組成傾斜",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _EN, "ja": _JA}


def words_of(language: str) -> Mapping[str, str]:
    """The sentences of a language.

    Raises
    ------
    CampaignError
        There is no such language.
    """
    if language not in LANGUAGES:
        raise CampaignError(f"there is no language {language!r}; there are {', '.join(LANGUAGES)}")
    return LANGUAGES[language]


def aim_in(language: str, aim: str) -> str:
    return _AIMS_JA.get(aim, aim) if language == "ja" else aim


def share_in(words: Mapping[str, str], share: float) -> str:
    """A share as people read it."""
    return words["little"] if share < 0.01 else f"{share:.0%}".replace("%", " %")
