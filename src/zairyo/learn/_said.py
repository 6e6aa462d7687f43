"""What a report says of a prediction, in English or Japanese."""

from __future__ import annotations

import re
from collections.abc import Mapping

_EN = {
    "learned": "{target}: {samples}{apart}, {columns}.",
    "sample": "1 sample",
    "samples": "{n} samples",
    "column": "1 column",
    "columns": "{n} columns",
    "apart": " in {n} groups",
    "left out one": "1 row left out, because too much is missing in it or a number is too large.",
    "left out": "{n} rows left out, because too much is missing in them or a number is too large.",
    "filled": "Missing settings of {n} of {of} samples were filled by what the others tell.",
    "too few": "Fewer than three different samples: errors cannot be measured, intervals are assumed.",
    "error": "Error on samples not seen (RMSE): {error}; the samples' own spread is {spread} ({scheme}).",
    "held": "90 % intervals held {share} % of samples not seen.",
    "blend": "Blend: {parts}.",
    "between": ", ",
    "mean only": "These columns hardly tell the output: it is predicted no better than by the mean.",
    "all alike": "All samples have the same value: nothing can be learned of what changes it.",
    "no curve": "Too few samples for a learning curve.",
    "gain": "{more} more samples like these would lower the error by about {middle} % "
    "(80 % interval {low} % to {high} %).",
    "models": "Models, {rmse}, weight",
    "rmse unseen": "RMSE on samples not seen",
    "importance": "Importance: {grown}",
    "grown": "growth of the error when shuffled",
    "model": "model",
    "weight": "weight",
    "variable": "variable",
    "importance head": "importance: growth of RMSE",
    "title": "Prediction of {target}",
    "plots": "Parity, residuals, importances and learning curve",
    "measured": "measured {target}",
    "predicted sd": "predicted, not seen (± 1 SD)",
    "predicted": "predicted, not seen",
    "residual": "measured - predicted",
    "parity": "Parity",
    "residuals": "Residuals",
    "importances": "Importances",
    "grown rmse": "growth of RMSE when shuffled",
    "curve": "Learning curve",
    "samples axis": "samples",
    "too few short": "too few samples",
    "table": "Predicted{unit}, with {level} % intervals",
    "in unit": " in {unit}",
    "rest": "… and {n} more; -o FILE writes them all",
    "outside": "outside the made samples",
}
_JA = {
    "learned": "{target}：{samples}{apart}、{columns}から学習しました。",
    "sample": "試料 1 件",
    "samples": "試料 {n} 件",
    "column": "1 列",
    "columns": "{n} 列",
    "apart": "（{n} グループ）",
    "left out one": "欠けている値が多いか数値が大きすぎるため、1 行を除きました。",
    "left out": "欠けている値が多いか数値が大きすぎるため、{n} 行を除きました。",
    "filled": "試料 {of} 件のうち {n} 件で欠けている条件は、ほかの値からの推定で補いました。",
    "too few": "異なる試料が 3 件未満のため、誤差は測れません。区間は仮定によるものです。",
    "error": "学習に使っていない試料での誤差（RMSE）：{error}。試料自体のばらつきは {spread} です（{scheme}）。",
    "held": "90 % 区間は、学習に使っていない試料の {share} % を含みました。",
    "blend": "組み合わせ：{parts}。",
    "between": "、",
    "mean only": "これらの列からは結果がほとんど分かりません（平均値による予測と変わりません）。",
    "all alike": "すべての試料の値が同じため、何が値を変えるかは学習できません。",
    "no curve": "試料が少ないため、学習曲線は描けません。",
    "gain": "同様の試料を {more} 件増やすと、誤差は約 {middle} % 減る見込みです（80 % 区間 {low} %〜{high} %）。",
    "models": "モデル、{rmse}、重み",
    "rmse unseen": "学習に使っていない試料での RMSE",
    "importance": "重要度：{grown}",
    "grown": "並べ替えたときの誤差の増加",
    "model": "モデル",
    "weight": "重み",
    "variable": "変数",
    "importance head": "重要度：RMSE の増加",
    "title": "{target} の予測",
    "plots": "予測と実測、残差、重要度、学習曲線",
    "measured": "{target} の実測値",
    "predicted sd": "予測値（未学習の試料、± 1 SD）",
    "predicted": "予測値（未学習の試料）",
    "residual": "実測値 - 予測値",
    "parity": "予測と実測",
    "residuals": "残差",
    "importances": "重要度",
    "grown rmse": "並べ替えたときの RMSE の増加",
    "curve": "学習曲線",
    "samples axis": "試料数",
    "too few short": "試料が少なすぎます",
    "table": "予測値{unit}と {level} % 区間",
    "in unit": "（{unit}）",
    "rest": "… ほか {n} 件（-o FILE ですべて書き出します）",
    "outside": "作製済み試料の範囲外",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _EN, "ja": _JA}
#: Names of models, and of ways to leave samples out. What is not here is shown as it is.
_NAMES_JA = {
    "mean": "平均値",
    "Gaussian process": "ガウス過程",
    "linear (ridge)": "線形（リッジ）",
    "quadratic (ridge)": "二次（リッジ）",
    "linear (elastic net)": "線形（Elastic Net）",
    "random forest": "ランダムフォレスト",
    "extra trees": "Extra Trees",
    "gradient boosting": "勾配ブースティング",
    "mixture": "配合",
    "each sample left out in turn": "1 試料ずつ除いて検証",
    "each group left out in turn": "1 グループずつ除いて検証",
}
_FOLDS = re.compile(r"(\d+) folds(, groups kept together)?")


def words_of(language: str) -> Mapping[str, str]:
    """The sentences of a language.

    Raises
    ------
    ValueError
        There is no such language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"there is no language {language!r}; there are {', '.join(LANGUAGES)}")
    return LANGUAGES[language]


def name_in(words: Mapping[str, str], name: str) -> str:
    """A model's name, or how samples were left out."""
    if words is not _JA:
        return name
    if match := _FOLDS.fullmatch(name):
        return f"{match[1]} 分割の検証" + ("（グループ単位）" if match[2] else "")
    return _NAMES_JA.get(name, name)
