"""Every *Run it* of the content opens an existing page, in a state that is valid there."""

import json

import pytest

from content.article import load_article
from content.concepts import load_concepts
from tests.app.opening import PATHS, opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
ARTICLE = load_article()
RUNS = [
    *(run for concept in load_concepts().values() for run in concept.runs),
    *(run for section in ARTICLE.sections for run in section.runs),
    *(run for claim in ARTICLE.claims for run in claim.runs),
]
LINKS = sorted({(run.page, json.dumps(dict(run.parameters), sort_keys=True)) for run in RUNS})


def test_there_are_links_to_test():
    assert len(LINKS) > 30


@pytest.mark.parametrize(("slug", "parameters"), LINKS)
def test_a_run_link_opens(slug, parameters):
    assert slug in PATHS
    app = opened(slug, **{name: str(value) for name, value in json.loads(parameters).items()})
    assert not app.exception
    assert not app.error
    assert not app.warning
