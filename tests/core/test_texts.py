"""Texts before a model learns them: what is taken, how it is cut into tokens, what is said of it."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from core.errors import UserError
from core.language import sentences, texts
from core.language import tokens as tokenising
from core.language.corpus import corpus, facts, world_corpus, zipf
from core.language.stories import CHINESE_COURSES, ENGLISH_COURSES, stories
from core.language.tokens import Tokens, words

pytestmark = pytest.mark.usefixtures("atlas_home")
CHINESE = "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？" * 60


@pytest.mark.parametrize("language", ["en", "zh"])
def test_stories_are_the_same_for_the_same_seed_and_hardly_repeat(language):
    made = stories(language, 2000, 1)
    assert made == stories(language, 2000, 1)
    assert made != stories(language, 2000, 2)
    assert len(set(made)) > 1900
    assert not any(letter in line for line in made for letter in "{}\n")
    assert all(("\u4e00" <= line[1] <= "\u9fff") == (language == "zh") for line in made)


def test_both_languages_have_the_same_courses():
    assert list(ENGLISH_COURSES) == list(CHINESE_COURSES)


def test_the_coins_of_a_story_add_up():
    markets = [line for line in stories("en", 3000, 0) if "market" in line and "had only" in line]
    told = [re.findall(r"(\d+) coins", line) for line in markets]
    counted = [tuple(map(int, numbers)) for numbers in told if len(numbers) == 4]
    assert len(counted) > 20
    for price, few, lack, all_of_them in counted:
        assert few + lack == all_of_them == price


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(CHINESE.encode(), "UTF-8"), (CHINESE.encode("utf-8-sig"), "UTF-8"), (CHINESE.encode("gb18030"), "GB18030"),
     (CHINESE.encode("gbk"), "GB18030"), (CHINESE.encode("utf-16"), "UTF-16"), (b"plain words. " * 200, "UTF-8")],
)  # fmt: skip
def test_a_text_is_read_in_its_encoding(data, encoding):
    text, found = texts.decoded(data)
    assert found == encoding
    assert text in (CHINESE, "plain words. " * 200)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "at least 1,000"), (b"   \n" * 900, "at least 1,000"), (b"a" * 5000, "single character"),
     (b"x" * 5_000_001, "at most 5 MB"), (b"ab\0" * 900, "binary"),
     (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 90, "binary"),
     (b"\x01\x02\x03\x04word" * 900, "binary"), (b"\xff" * 5000, "not a text in UTF-8"),
     ("".join(map(chr, range(0x20000, 0x20000 + 21_000))).encode(), "different characters"),
     (("\ud800" * 2000).encode("utf-8", "surrogatepass"), "not a text")],
)  # fmt: skip
def test_what_nothing_can_be_learnt_from_gets_a_sentence(data, sentence):
    with pytest.raises(UserError, match=sentence):
        texts.decoded(data)


@given(st.binary(max_size=3000))
def test_any_bytes_are_a_text_or_get_a_sentence(data):
    try:
        text, _encoding = texts.decoded(data)
    except UserError:
        return
    text.encode()


def test_a_file_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(5 * 2**30)  # sparse: takes no room
    with pytest.raises(UserError, match="at most 5 MB"):
        texts.read_text(path)
    with pytest.raises(UserError, match="can be read"):
        texts.read_text(tmp_path / "none.txt")


def test_a_text_is_kept_once_and_found_again():
    source = texts.keep("first line\r\nsecond line\r\n" * 100)
    assert source == texts.keep("first line\nsecond line\n" * 100)
    assert texts.load(source) == "first line\nsecond line\n" * 100


def test_the_text_not_used_for_longest_makes_room(monkeypatch):
    monkeypatch.setattr(texts, "MOST_KEPT", 3)
    sources = [texts.keep(f"text number {i} " * 100) for i in range(5)]
    texts.load(sources[-1])
    with pytest.raises(UserError, match="not kept"):
        texts.load(sources[0])


@pytest.mark.parametrize("source", ["", "text:../../../../etc/passwd", "text:0", "/etc/passwd", "stories:fr:100:0",
                                    "stories:en:9:0", "stories:en:20001:0", "stories:en:-1:0", "text:" + "0" * 16]
)  # fmt: skip
def test_a_source_that_names_nothing_gets_a_sentence(source):
    with pytest.raises(UserError):
        texts.load(source)


@pytest.mark.parametrize("kind", ["characters", "bpe"])
@pytest.mark.parametrize(
    "text", [CHINESE, "The cat, the hat.\n\n\tIt's 42 — “so” it is…  two  spaces\n" * 30, "a😀b😀 " * 200]
)
def test_tokens_written_one_after_the_other_are_the_text(kind, text):
    tokens = Tokens.of(text, kind, 120)
    ids = tokens.encode(text)
    assert tokens.decode(ids) == text
    assert max(ids) < len(tokens.vocabulary) <= 120
    again = Tokens.from_json(tokens.to_json())
    assert again.encode(text) == ids
    if kind == "bpe":
        assert len(ids) < len(text)
        assert "".join(tokens.vocabulary[: len(set(text))]) == "".join(sorted(set(text)))


@given(st.text(alphabet="ab c\n.1学习🙂", min_size=1, max_size=300))
def test_byte_pair_encoding_loses_nothing(text):
    tokens = Tokens.of("ab c\n.1学习🙂" + text * 3, "bpe", 60)
    assert tokens.decode(tokens.encode(text)) == text


def test_byte_pairs_are_the_most_frequent_ones():
    tokens = Tokens.of("ababab abab cd " * 50, "bpe", 6)
    assert tokens.merges == [("a", "b")]


MIXED = "The cat, the hat; cats 42 and hats 7…\n\n\t它们坐在帽子里。一 二\u2028²x  _[a-]^\\ 🙂🙂\u200d " * 40


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
@example(MIXED)
@example("[")
@example("a^-]b")
@example("\x1c\x85\xa0\u200b\u180e")  # what counts as space differs from program to program
def test_words_are_those_of_the_tokeniser(text):
    split = pre_tokenizers.Split(Regex(tokenising._WORDS), "isolated")
    assert words(text) == Counter(word for word, _place in split.pre_tokenize_str(text))


@pytest.mark.parametrize("text", [MIXED, "ab abc bc abcabc bcabc " * 60])
def test_a_smaller_vocabulary_is_the_beginning_of_a_larger_one(text):
    largest = Tokens.of(text, "bpe", 300)
    least = len(set(text)) + 1
    for size in range(least, len(largest.vocabulary) + 2):
        small, wanted = largest.first(size), Tokens.of(text, "bpe", size)
        assert (small.vocabulary, small.merges) == (wanted.vocabulary, wanted.merges)
        counts = Counter(wanted.encode(text))
        assert small.counts(words(text)).tolist() == [counts[token] for token in range(len(small.vocabulary))]
    with pytest.raises(UserError, match="leaves no room"):
        largest.first(least - 1)


def test_a_vocabulary_too_small_is_refused_by_its_own_size():
    source = texts.keep("".join(map(chr, range(0x4E00, 0x4E00 + 1500))) * 2)
    with pytest.raises(UserError, match="1500 different characters already: a vocabulary of 512 "):
        corpus(source, "bpe", 512)


def test_characters_never_seen_are_named():
    for kind in ("characters", "bpe"):
        with pytest.raises(UserError, match="🙂é"):
            Tokens.of("plain words of a text " * 50, kind, 64).encode("plain 🙂 é words")
    with pytest.raises(UserError, match="30 different characters"):
        Tokens.of("".join(map(chr, range(65, 95))) * 50, "bpe", 30)


def test_a_power_law_is_found():
    found = zipf(np.array([round(100_000 / rank) for rank in range(1, 500)]))
    assert found["slope"] == pytest.approx(-1, abs=0.02)
    assert zipf(np.array([5]))["slope"] is None


def test_the_facts_of_a_text_are_counted():
    text = "one two\none two\nthree\n" * 10 + "four five six\n" * 3
    found = facts(text, np.array([1, 2, 1]), ["a", "b", "cc"], [0])
    assert (found["lines"], found["duplicates"]) == (33, 30)
    assert found["rows"][0] == (1, "b", 2)
    assert found["repeated"][0] == ("one two", 20)
    assert found["token_lengths"] == [(1, 2), (2, 1)]
    assert sum(n for _length, n in found["line_lengths"]) == 33
    assert found["split"]["training"] + found["split"]["validation"] == len(text)
    assert found["split"]["leaked"] == 1.0


def test_the_facts_of_stories_and_of_the_word_world():
    found = corpus("stories:zh:100:0", "bpe", 600)
    assert found["tokens"] < found["characters"]
    assert "".join(token for _i, token in found["beginning"]) == texts.load("stories:zh:100:0")[:1200]
    world = world_corpus(640, 0)
    assert world["vocabulary"] == 65
    for task, pairs in world["documents"]:
        known: dict[str, str] = {}
        assert all(settled for *_rest, settled in pairs) or task == "[pick]"
        for _word, label, settled in pairs:
            assert task == "[name]" or settled == (label in known.values()) or not settled
            known[_word] = label


def test_sentences_are_kept_bounded_and_taken_back(monkeypatch):
    before = len(sentences.written()[0])
    sentences.add("anna", "  The   cat <b>sleeps</b>.\n")
    sentences.add("ben", "猫在睡觉。")
    assert sentences.written()[0][before:] == ["The cat <b>sleeps</b>.", "猫在睡觉。"]
    assert sentences.own("ben") == ["猫在睡觉。"]
    assert "anna" not in (texts.atlas_home() / "sentences.json").read_text()
    for text, sentence in ((" ", "2 to 200"), ("x" * 201, "2 to 200"), ("猫在睡觉。", "already")):
        with pytest.raises(UserError, match=sentence):
            sentences.add("ben", text)
    monkeypatch.setattr(sentences, "MOST_OF_ONE", 2)
    sentences.add("ben", "Another one.")
    with pytest.raises(UserError, match="Take one back"):
        sentences.add("ben", "A third one.")
    sentences.take_back("ben", "The cat <b>sleeps</b>.")  # not Ben's
    sentences.take_back("ben", "猫在睡觉。")
    assert sentences.written()[0][before:] == ["The cat <b>sleeps</b>.", "Another one."]
    assert sentences.as_text().endswith("Another one.\n")
    monkeypatch.setattr(sentences, "MOST", before + 2)
    with pytest.raises(UserError, match="no more are taken"):
        sentences.add("cara", "Too late.")


def test_spoilt_sentences_count_as_none():
    path = texts.atlas_home() / "sentences.json"
    kept = path.read_bytes() if path.exists() else b"[]"
    for spoilt in (b"{", b"[1, 2]", b"7", b"\xff"):
        path.write_bytes(spoilt)
        assert sentences.written() == ([], 0)
    path.write_bytes(kept)
