"""What a person can do about a measurement that was not translated, by the kind of the error."""

from __future__ import annotations

#: By kind (``zairyo.readers.sandbox.Kind``) and language.
ADVICE: dict[str, dict[str, str]] = {
    "unknown_format": {
        "en": "The raw file is kept. If it is text, describe its format in a YAML file; else export it from the "
        "instrument's software in a format of `zairyo formats`, or ask for a reader.",
        "ja": "元のファイルは保存されています。テキスト形式の場合は YAML で書式を記述してください"
        "。それ以外の場合は、装置の"
        "ソフトウェアから対応形式で書き出すか、リーダーの追加を依頼してください。",
    },
    "ambiguous": {
        "en": "Choose the right reader for it and translate it again.",
        "ja": "正しいリーダーを選んで、もう一度変換してください。",
    },
    "damaged": {
        "en": "Copy the file again from the instrument, or open it in the instrument's software to see whether it is "
        "whole. If it is, please report it: the reader does not know this variant yet.",
        "ja": "装置からファイルをもう一度コピーするか、装置のソフトウェアで開けるか確認してください。正"
        "常に開ける場合は、"
        "リーダーがまだ対応していない種類ですのでご報告ください。",
    },
    "invalid": {
        "en": "The reader gave a result that cannot be right, so it was not taken. Please report it with the file.",
        "ja": "リーダーの結果に矛盾があったため採用しませんでした。ファイルを添えてご報告ください。",
    },
    "too_large": {
        "en": "Split the measurement, or ask the server's administrator to raise the limits of translation.",
        "ja": "測定を分割するか、サーバー管理者に変換の上限の引き上げを依頼してください。",
    },
    "timeout": {
        "en": "If the file is very large, ask the server's administrator to raise the time limit; else it is probably "
        "damaged: copy it again from the instrument.",
        "ja": "ファイルが非常に大きい場合は、サーバー管理者に時間制限の引き上げを依頼してください。そう"
        "でない場合は破損して"
        "いる可能性があります。装置からもう一度コピーしてください。",
    },
    "memory": {
        "en": "If the file is very large, ask the server's administrator to raise the memory limit; else it is "
        "probably damaged: copy it again from the instrument.",
        "ja": "ファイルが非常に大きい場合は、サーバー管理者にメモリ制限の引き上げを依頼してください。そ"
        "うでない場合は破損して"
        "いる可能性があります。装置からもう一度コピーしてください。",
    },
    "crashed": {
        "en": "Open the file in the instrument's software. If it opens there, please report it; else copy it again.",
        "ja": "装置のソフトウェアでファイルを開いてみてください。開ける場合はご報告ください。開けない場"
        "合は、もう一度"
        "コピーしてください。",
    },
    "unreadable": {
        "en": "The server could not open its copy of the raw file. Ask its administrator to verify the objects "
        "(`zairyo admin`), then translate it again.",
        "ja": "サーバーが保存したファイルを開けませんでした。サーバー管理者にオブジェクトの検証を依頼し"
        "、その後もう一度変換して"
        "ください。",
    },
    "output": {
        "en": "The server could not store the result, probably because its disk was full. Translate it again when "
        "there is room.",
        "ja": "サーバーが結果を保存できませんでした。ディスクの空き容量不足の可能性があります。空きがで"
        "きたら、もう一度変換して"
        "ください。",
    },
}


def advice(kind: str) -> tuple[str, str]:
    """A sentence or two on what to do, in English and in Japanese."""
    texts = ADVICE.get(kind, ADVICE["crashed"])
    return texts["en"], texts["ja"]
