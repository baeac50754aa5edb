"""Two languages are one product: no sentence without its translation, no field lost on the way."""

import re
import string

from tests import catalogues

FIELDS = string.Formatter()


def fields(text: str) -> set[str]:
    return {name for _text, name, _format, _conversion in FIELDS.parse(text) if name}


def pairs():
    for message in catalogues.read():
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            yield ids, strings


def test_every_sentence_is_translated():
    said = {s if isinstance(s, str) else s[0] for s in catalogues.sentences()}
    translated = {ids[0] for ids, strings in pairs() if all(strings)}
    assert said - translated == set()
    assert translated - said == set()


def test_translations_keep_the_fields():
    for ids, strings in pairs():
        for text in strings:
            assert fields(text) == fields(ids[-1]), text


def test_translations_are_chinese():
    alike = {"F1"}
    for ids, strings in pairs():
        assert ids[0] in alike or all(re.search("[\u4e00-\u9fff]", text) for text in strings), ids


def test_compiled_catalogue_is_up_to_date():
    assert catalogues.MO.read_bytes() == catalogues.compiled(catalogues.read())
