"""Text: every source and every part in both languages; whatever is handed in is a text, or gets a sentence."""

import pytest

from core.language import sentences, texts
from tests.app.opening import opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "text"
FEW = {"count": "500"}


def clean(app):
    assert not app.exception
    assert not app.error
    assert not app.warning
    return app


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["tokens", "vocabulary", "frequency", "lengths", "duplicates"])
def test_every_part_opens(language, part):
    clean(opened(SLUG, language, part=part, stories=language, **FEW))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("source", ["own", "class", "world"])
def test_every_source_opens(language, source):
    clean(opened(SLUG, language, **{"from": source, "documents": "640"}))


def test_pieces_of_words_are_longer_than_characters():
    def shown(**link):
        app = clean(opened(SLUG, **FEW, **link))
        return float(next(m.value for m in app.metric if m.label == "Characters per token"))

    assert shown() == 1.0
    assert shown(tokens="bpe") > 2.0
    assert shown(tokens="bpe", vocabulary="1024") > shown(tokens="bpe", vocabulary="128")


def test_a_vocabulary_smaller_than_the_alphabet_gets_a_sentence():
    app = opened(SLUG, "zh", stories="zh", tokens="bpe", vocabulary="64", **FEW)
    assert not app.exception
    assert "请把词表调大" in app.error[0].value


def test_a_text_is_pasted_and_the_link_names_it():
    app = opened(SLUG, **{"from": "own"})
    app.text_area(key="pasted").set_value("<b>bold</b> words & signs. " * 60)
    app.button[0].click().run()
    clean(app)
    source = app.query_params["text"]
    assert texts.load(source).startswith("<b>bold</b>")
    again = clean(opened(SLUG, "zh", **{"from": "own", "text": source}))
    assert next(m.value for m in again.metric if m.label == "字符") == "1,620"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "at least 1,000"), (b"short", "at least 1,000"), (b"aaaa" * 900, "single character"),
     (bytes(range(256)) * 30, "binary"), (b"\xff" * 3000, "not a text in UTF-8")],
)  # fmt: skip
def test_a_wrong_file_gets_a_sentence_and_what_was_there_stays(data, sentence):
    kept = texts.keep("what was there before. " * 100)
    app = opened(SLUG, **{"from": "own", "text": kept})
    app.file_uploader(key="text-upload").upload("a.txt", data, "text/plain").run()
    assert not app.exception
    assert sentence in app.error[0].value
    assert app.query_params["text"] == kept


def test_a_file_in_gb18030_is_read_and_told():
    app = opened(SLUG, "zh", **{"from": "own"})
    data = ("春眠不觉晓，处处闻啼鸟。" * 120).encode("gbk")
    app.file_uploader(key="text-upload").upload("诗.txt", data, "text/plain").run()
    clean(app)
    assert any("GB18030" in caption.value for caption in app.caption)
    assert texts.load(app.query_params["text"]).startswith("春眠不觉晓")


def test_the_class_writes_a_text():
    app = opened(SLUG, **{"from": "class"})
    app.text_input(key="sentence").set_value("# Not a heading <script>alert(1)</script>")
    app.button[0].click().run()
    clean(app)
    assert "# Not a heading <script>alert(1)</script>" in [text.value for text in app.text]
    assert not any("script" in markdown.value for markdown in app.markdown)
    assert sentences.written()[0][-1].startswith("# Not a heading")
    app.button(key="back-0").click().run()
    assert not any("heading" in text for text in sentences.written()[0])
    for writer in range(10):
        for place in range(5):
            sentences.add(f"writer {writer}", f"sentence {place} of writer number {writer}")
    app.run()
    app.button(key="make-text").click().run()
    clean(app)
    assert texts.load(app.query_params["text"]) == sentences.as_text()


def test_a_link_to_a_text_that_is_gone_gets_a_sentence():
    app = opened(SLUG, "zh", **{"from": "own", "text": "text:" + "0" * 16})
    assert not app.exception
    assert "没有（或不再）保存" in app.error[0].value
