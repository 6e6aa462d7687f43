"""The sentences that strategies give with their picks, in Japanese. What is not here is shown as it is."""

from __future__ import annotations

import re

_SENTENCES = {
    # the best value, a range, several outcomes
    "expected to raise the best value by most": "最良値を最も大きく上げると期待されます",
    "expected to lower the best value by most": "最良値を最も大きく下げると期待されます",
    "expected to exceed by most what the best 1 % of the candidates reach, as nothing made so far seems to": (
        "候補全体の上位1 %の水準（これまでの実験はまだ届いていないと見られます）を最も大きく超えると期待されます"
    ),
    "expected to come nearest to the target": "目標値に最も近づくと期待されます",
    "most likely within the range, or nearest to it": (
        "目標範囲に入る（または最も近づく）可能性が最も高い候補です"
    ),
    "expected to widen the front of best compromises by most": (
        "パレートフロントを最も大きく広げると期待されます"
    ),
    "most likely to keep within the limits, which nothing made so far does": (
        "これまでどの実験も満たしていない制約を、最も満たしそうな候補です"
    ),
    "the best in one draw from what is believed": "予測分布からの一つのサンプルで最良でした",
    "expected by a random forest to improve most": "ランダムフォレストが最も改善すると予測しました",
    "drawn at random": "無作為に選びました",
    "far from everything tried so far: nothing is known yet": (
        "既存の実験から最も離れています（まだ何も分かっていません）"
    ),
    "expected to be the best compromise of another kind": "別の重みづけで最も良い妥協点と期待されます",
    # an accurate model
    "drawn at random, so that the errors of the model can be trusted": (
        "モデルの誤差を正しく測るため、無作為に選びました"
    ),
    "farthest from everything made": "既存のどの実験からも最も離れています",
    "many candidates are like it, and no sample made is": (
        "似た候補が多いのに、似た試料がまだ作られていません"
    ),
    "lowers the uncertainty of all candidates together the most": (
        "全候補の不確かさを合わせて最も減らします"
    ),
    "different models disagree about it and about many candidates like it": (
        "この候補と似た多くの候補について、モデルの予測が食い違っています"
    ),
    "lowers the uncertainty of the measured descriptors and of the property together the most": (
        "測定記述子と物性の不確かさを合わせて最も減らします"
    ),
    # phases, something new, references
    "two phases are about as probable here": "二つの相がほぼ同じ確からしさです",
    "it is least known which phase this is": "どの相か最も分かっていない候補です",
    "the phase that is most probable here is not very probable": (
        "最も確からしい相でも、その確率が高くありません"
    ),
    "farthest from everything made: a phase not seen yet may be there": (
        "既存の実験から最も離れており、未知の相があるかもしれません"
    ),
    "its outcomes are expected to be unlike all seen": "これまでにない結果になると予測されます",
    "drawn at random, so that nothing is left out for good": "見落としを防ぐため、無作為に選びました",
    "what it responds to explains most of what is left of all others": (
        "その応答が、残りの試料の応答を最もよく説明します"
    ),
    "a corner of the pool: others are mixtures of such samples": (
        "候補群の端点です（他の試料はこうした試料の混合で表せます）"
    ),
    "the references explain all others already; this one is farthest from them": (
        "参照試料だけで他をすべて説明できるため、それらから最も離れた候補です"
    ),
    # start designs
    "spreads the first experiments evenly over the space": "最初の実験を空間に均等に配置します",
    "gives each parameter evenly spread values, far from one another": (
        "各パラメータの値を均等に、互いに離して配置します"
    ),
    "makes mixtures in equal steps, pure ones first": "等間隔の配合を、単独成分から順に作ります",
    "makes the corners that the bounds leave": "上下限が作る頂点の配合を作ります",
    "combines low and high values of the parameters": "パラメータの高低を組み合わせます",
    "makes the coefficients of a linear model known best, with those made before": (
        "既存の実験と合わせて、一次モデルの係数を最もよく決めます"
    ),
    "makes the coefficients of a quadratic model known best, with those made before": (
        "既存の実験と合わせて、二次モデルの係数を最もよく決めます"
    ),
    "is the next of the given design": "与えられた計画の次の実験です",
    "is farthest from all experiments so far": "既存のすべての実験から最も離れています",
}
#: Sentences with numbers and names in them.
_FORMS = tuple(
    (re.compile(form), said)
    for form, said in (
        (
            r"far from everything tried so far: with fewer than (\d+) outcomes there is nothing to learn from",
            r"既存の実験から最も離れています（結果が \1 件未満では、まだ何も学習できません）",
        ),
        (
            r"where least is known among what may be good: the last (\d+) experiments brought nothing better",
            r"良い可能性のある候補のうち、最も分かっていないものです（直近の \1 件では改善がありませんでした）",
        ),
        (
            r"the best that is still believable \(mean and (\S+) deviations\)",
            r"期待できる上限（平均と標準偏差の \1 倍）が最も良い候補です",
        ),
        (r"(\d+) of (\d+) on the film from (.+) to (.+)", r"\3 から \4 までの膜の \2 点中 \1 番目です"),
    )
)
_DOUBT = ", although experiments near it failed"


def japanese(sentence: str) -> str:
    """A sentence in Japanese, if it is known."""
    plain = sentence.removesuffix(_DOUBT)
    matches = ((form.fullmatch(plain), said) for form, said in _FORMS)
    of_form = next((match.expand(said) for match, said in matches if match), plain)
    found = _SENTENCES.get(plain, of_form)
    return f"{found}（ただし、近くの実験は失敗しています）" if plain != sentence else found
