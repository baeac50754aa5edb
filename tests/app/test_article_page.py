"""The article: its chapters, its claims with the vote before the verdict, its code run for real."""

import pytest

from content.article import VERDICTS, load_article
from core import votes
from core.errors import UserError
from tests.app.opening import opened

ARTICLE = load_article()
pytestmark = [pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def own_home(atlas_home, tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))


def said(app) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("chapter", [s.id for s in ARTICLE.sections if s.level == 1])
def test_every_chapter_shows_all_its_sections(chapter, language):
    app = opened("article", language, chapter=chapter)
    assert not app.exception
    wanted = [f"{s.id} {s.title[language]}" for s in ARTICLE.sections if s.id.split(".")[0] == chapter]
    assert [element.value for element in app.subheader] == wanted


def test_a_link_to_a_section_opens_its_chapter():
    app = opened("article", section="3.2")
    assert all(element.value.startswith("3.2") for element in app.subheader)
    assert len(app.subheader) > 1


def test_the_verdict_comes_after_the_vote():
    claim = ARTICLE.claims[0]
    app = opened("article", part="claims")
    assert claim.so.en not in said(app)
    app.button(key=f"vote-all-{claim.id}-true").click().run()
    assert claim.so.en in said(app)
    assert any("1 vote" in caption.value for caption in app.caption)
    assert votes.tally(claim.id, ["true", "false"]) == {"true": 1, "false": 0}


def test_the_verdict_can_be_had_without_a_vote():
    claim = ARTICLE.claims[1]
    app = opened("article", part="claims")
    app.button(key=f"show-all-{claim.id}").click().run()
    assert claim.so.en in said(app)
    assert votes.tally(claim.id, ["true"]) == {"true": 0}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_claims_of_one_verdict(verdict):
    app = opened("article", part="claims", verdict=verdict)
    assert not app.exception
    for claim in ARTICLE.claims:
        assert (claim.claimed.en in said(app)) == (claim.verdict == verdict)


def test_the_missing_import_fails_for_real():
    snippet = next(s for s in ARTICLE.snippets if s.error.startswith("NameError"))
    app = opened("article", part="code")
    app.button(key=f"run-code-{snippet.id}").click().run(timeout=60)
    assert any(snippet.error in element.value for element in app.code)


def test_nonsense_in_the_link_is_the_default():
    app = opened("article", part="<b>", chapter="99", section="../..", verdict="x")
    assert not app.exception
    assert app.subheader[0].value.startswith("1 ")


def test_a_vote_counts_once(tmp_path):
    for choice in ("true", "false", "true"):
        votes.cast("claim", "anna", choice, ("true", "false"))
    votes.cast("claim", "ben", "false", ("true", "false"))
    assert votes.tally("claim", ("true", "false")) == {"true": 1, "false": 1}
    assert votes.vote_of("claim", "anna") == "true"
    assert "anna" not in (tmp_path / "votes" / "claim.json").read_text()


def test_who_has_voted_is_not_refused_when_the_box_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(votes, "MAX_VOTERS", 1)
    votes.cast("full", "first", "true", ("true", "false"))
    votes.cast("full", "first", "false", ("true", "false"))
    with pytest.raises(UserError, match="no more are taken"):
        votes.cast("full", "second", "true", ("true", "false"))
    assert votes.tally("full", ("true", "false")) == {"true": 1, "false": 0}


def test_a_vote_for_what_is_not_offered_is_refused():
    with pytest.raises(UserError):
        votes.cast("claim", "anna", "<script>", ("true",))
    with pytest.raises(ValueError, match="name"):
        votes.cast("../claim", "anna", "true", ("true",))


def test_a_spoilt_file_counts_as_none(tmp_path):
    (tmp_path / "votes").mkdir()
    (tmp_path / "votes" / "claim.json").write_text('["torn')
    votes.cast("claim", "anna", "true", ("true",))
    assert votes.tally("claim", ("true",)) == {"true": 1}
