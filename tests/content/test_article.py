"""The article has a home for each of its parts, in both languages, and everything it promises to run runs."""

import ast
import re
import runpy
import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from app.navigation import VIEWS, find_views
from content.article import FOLDER, VERDICTS, Article, Claim, Section, Snippet, load_article
from content.concepts import RunLink, load_concepts
from content.pipeline import load_pipeline
from content.reading import LANGUAGES, formulas
from core.sandbox import run_snippet
from core.vision.recipe import PictureRecipe

ROOT = Path(__file__).parents[2]
ORIGINAL = ROOT.parent / "shared" / "article"
PAGES = {view.slug for view in find_views(VIEWS)}
LABS = {view.slug for view in find_views(VIEWS) if view.section == "maths"}
ARTICLE = load_article()

# Where each part of the article lives: its headings, and the items of its lists with a word that must be there.
HEADINGS = {
    "1": "1", "1.1": "1.1", "1.2": "1.2", "1.3": "1.3",
    "2": "2", "2.1": "2.1", "2.2": "2.2", "2.3": "2.3",
    "3": "3", "3.1": "3.1", "3.2": "3.2", "3.3": "3.3", "3.4": "3.4",
    "4": "4", "4.1": "4.1", "4.2": "4.2", "4.3": "4.3",
    "5": "5", "5.1": "5.1", "5.2": "5.2", "5.3": "5.3", "5.4": "5.4",
    "6": "6", "6.1": "6.1", "6.2": "6.2", "6.3": "6.3", "6.4": "6.4",
    "7": "7", "7.1": "7.1", "7.2": "7.2", "7.3": "7.3",
    "8": "8", "8.1": "8.1", "8.2": "8.2", "8.3": "8.3", "8.4": "8.4",
    "9": "9", "Q1": "9.1", "Q2": "9.2", "Q3": "9.3",
}  # fmt: skip
ITEMS = {
    "2.1": [("2.1", "Deep learning", "深度学习"), ("2.1", "Machine learning", "机器学习"),
            ("2.1", "Artificial intelligence", "人工智能"), ("2.1", "Computer vision", "计算机视觉"),
            ("2.1", "natural language processing", "自然语言处理")],
    "3.1": [("3.1", "Complexity", "复杂性"), ("3.1", "Data", "数据"),
            ("3.1", "Transparency and fairness", "透明与公平"), ("3.1", "Use across fields", "跨领域应用"),
            ("3.1", "Adaptation", "适应变化")],
    "3.2": [("3.2.1", "split them into three parts", "验证集"), ("3.2.2", "Transformers", "Transformer"),
            ("3.2.3", "drawn at random", "随机取值"), ("3.2.4", "backpropagation", "反向传播"),
            ("3.2.5", "validation part", "验证集"), ("3.2.6", "sealed test part", "封存的测试集")],
    "3.3": [("3.3.1", "Expressive power", "表达能力强"), ("3.3.1", "Learned features", "特征由学习得来"),
            ("3.3.1", "Wide use", "应用广泛"), ("3.3.2", "Hunger for data", "依赖数据"),
            ("3.3.2", "Overfitting", "过拟合"), ("3.3.2", "Cost", "代价高"), ("3.3.2", "Black box", "黑箱")],
    "3.4": [("3.4", "Vision", "视觉"), ("3.4", "Language", "语言"), ("3.4", "Driving", "驾驶"),
            ("3.4", "Medicine", "医疗"), ("3.4", "Finance", "金融")],
    "4.1": [("4.1", "Data", "数据"), ("4.1", "Model", "模型"), ("4.1", "Loss", "损失"), ("4.1", "Optimiser", "优化器")],
    "5.1": [("5.1", "Python 3.10", "Python 3.10"), ("5.1", "PyTorch", "PyTorch"), ("5.1", "CIFAR-10", "CIFAR-10"),
            ("5.1", "driver", "驱动"), ("5.1", "environment variable", "环境变量")],
    "7.1": [("7.1", "Goodfellow", "Goodfellow"), ("7.1", "Andrew Ng", "吴恩达"),
            ("7.1", "Karpathy's blog", "卡帕西的博客")],
    "7.2": [("7.2", "PyTorch", "PyTorch"), ("7.2", "TensorFlow", "TensorFlow"), ("7.2", "Jupyter", "Jupyter")],
    "7.3": [("7.3", "AlexNet", "AlexNet"), ("7.3", "CS231n", "CS231n"), ("7.3", "Bahdanau", "Bahdanau")],
    "8.2": [("8.2", "Larger models", "模型更大"), ("8.2", "Self-supervision", "自监督"),
            ("8.2", "More fields", "更多领域"), ("8.2", "With people", "与人协作")],
    "8.3": [("8.3", "Data", "数据"), ("8.3", "Explanation", "解释"), ("8.3", "Bias", "偏见"),
            ("8.3", "Resources", "资源")],
    "8.4": [("8.4", "Compression", "压缩"), ("8.4", "Fairness and transparency", "公平与透明"),
            ("8.4", "Several modalities", "多模态"), ("8.4", "Transfer to new fields", "迁移到新领域")],
}  # fmt: skip


def original_text() -> str:
    texts = sorted(ORIGINAL.glob("*.txt"))
    if not texts:
        pytest.skip("the source article is not at hand")
    return texts[0].read_text("utf-8")


def both(section: Section) -> str:
    return f"{section.title.en} {section.title.zh} {section.text.en} {section.text.zh}"


def test_nothing_is_broken():
    assert [str(error) for error in ARTICLE.errors] == []


@pytest.mark.parametrize(("heading", "home"), HEADINGS.items())
def test_every_heading_has_a_home(heading, home):
    assert ARTICLE.section(home).text.en


def test_every_section_is_somebodys_home():
    named = set(HEADINGS.values()) | {home for items in ITEMS.values() for home, _, _ in items}
    assert {section.id for section in ARTICLE.sections} == named


@pytest.mark.parametrize(("home", "en", "zh"), [item for items in ITEMS.values() for item in items])
def test_every_item_has_a_home(home, en, zh):
    section = ARTICLE.section(home)
    assert en in f"{section.title.en} {section.text.en}"
    assert zh in f"{section.title.zh} {section.text.zh}"


def test_the_tables_have_all_parts_of_the_source():
    found, items, at = [], Counter(), ""
    for line in re.sub(r"```.*?```", "", original_text(), flags=re.DOTALL).splitlines():
        if heading := re.match(r"#{2,3} (\d+(?:\.\d+)?|Q\d)", line):
            at = heading[1]
            found.append(at)
        elif re.match(r"(-|\d+\.) ", line):
            items[at] += 1
    assert found == list(HEADINGS)
    assert dict(items) == {heading: len(homes) for heading, homes in ITEMS.items()}


def test_graphs_formulas_and_code_have_a_home():
    assert "concepts" in {run.page for run in ARTICLE.section("2.2").runs}
    assert "pipeline" in {run.page for run in ARTICLE.section("2.3").runs}
    assert any(r"-\sum_{i=1}^{C} y_i \log" in one for one in formulas(ARTICLE.section("4.2").text.en))
    assert r"\theta \leftarrow \theta - \eta \nabla_\theta L" in formulas(ARTICLE.section("4.2").text.en)
    assert "conv2d" in ARTICLE.corrected.lower()


def test_our_words_are_our_own():
    theirs = re.sub(r"\s", "", original_text())
    texts = [section.text.zh for section in ARTICLE.sections]
    texts += [text for claim in ARTICLE.claims for text in (claim.claimed.zh, claim.so.zh)]
    copied = set()
    for text in texts:
        for run in re.findall(r"[\u4e00-\u9fff，。、；：]+", text):
            copied |= {run[i : i + 13] for i in range(len(run) - 12) if run[i : i + 13] in theirs}
    assert copied == set()


@pytest.mark.parametrize("section", ARTICLE.sections, ids=lambda section: section.id)
def test_both_languages_say_the_same(section):
    assert sorted(formulas(section.text.en)) == sorted(formulas(section.text.zh))
    assert _urls(section.text.en) == _urls(section.text.zh)
    assert section.text.en.count("\n- ") == section.text.zh.count("\n- ")
    assert not re.search(r"[\u4e00-\u9fff]", section.text.en + section.title.en)
    assert re.search(r"[\u4e00-\u9fff]", section.text.zh)


def _urls(markdown: str) -> list[str]:
    return re.findall(r"\]\((\S+?)\)", markdown)


@pytest.mark.parametrize("section", [s for s in ARTICLE.sections if s.level > 1], ids=lambda section: section.id)
def test_sections_are_short_and_say_something(section):
    assert 40 <= len(section.text.en.split()) <= 165
    assert 60 <= len(re.findall(r"[\u4e00-\u9fff]", section.text.zh)) <= 280


@pytest.mark.parametrize("section", ARTICLE.sections, ids=lambda section: section.id)
def test_concepts_exist(section):
    assert section.concepts
    assert set(section.concepts) <= set(load_concepts())


RUNS = [(section.id, run) for section in ARTICLE.sections for run in section.runs]
RUNS += [(claim.id, run) for claim in ARTICLE.claims for run in claim.runs]


@pytest.mark.parametrize(("owner", "run"), RUNS, ids=[f"{owner}-{run.page}" for owner, run in RUNS])
def test_runs_lead_to_a_page_with_parameters_it_takes(owner, run: RunLink):
    assert run.page in PAGES
    assert run.label.en
    assert run.label.zh
    values = dict(run.parameters)
    if run.page == "train":
        PictureRecipe.preset(values.pop("preset"), **values)
        return
    node = values.pop("node", None)
    if node is not None:
        assert node in (load_concepts() if run.page == "concepts" else load_pipeline().nodes)
        assert run.page in ("concepts", "pipeline")
    assert values == {} or run.page in LABS  # tests/app/test_run_links.py opens these and looks for warnings


@pytest.mark.parametrize("claim", ARTICLE.claims, ids=lambda claim: claim.id)
def test_every_claim_is_explained_and_sourced(claim: Claim):
    assert claim.verdict in VERDICTS
    for text in (claim.claimed, claim.so, *([claim.no_source] if claim.no_source else [])):
        assert not re.search(r"[\u4e00-\u9fff]", text.en)
        assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert bool(claim.sources) != (claim.no_source is not None)
    assert all(1950 < source.year < 2100 for source in claim.sources)
    assert _figures(claim.so.en) == _figures(claim.so.zh)


def _figures(text: str) -> set[str]:
    """The numbers with a decimal point or a percent sign: those a translation must not change."""
    return set(re.findall(r"\d+\.\d+|\d+(?= %)", text))


def test_every_verdict_is_used_and_an_outdated_one_is_explained_by_time():
    assert {claim.verdict for claim in ARTICLE.claims} == set(VERDICTS)
    assert all(re.search(r"\b(19|20)\d\d\b|Current|up-to-date", c.so.en) for c in ARTICLE.claims
               if c.verdict == "outdated")  # fmt: skip


def test_every_checked_claim_of_the_list_is_there():
    listing = ORIGINAL / "claims.md"
    if not listing.exists():
        pytest.skip("the list of checked claims is not at hand")
    wanted = Counter()
    for row in listing.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if not re.match(r"\d", cells[0]):
            continue
        for section in cells[0].removesuffix(" Q1").split(", "):
            for verdict in cells[2].removesuffix(" as printed").split(" / "):
                wanted["9.1" if section == "9" else section, verdict.replace(" ", "-")] += 1
    ours = Counter((section, claim.verdict) for claim in ARTICLE.claims for section in claim.sections)
    ours["5", "not-done"] = ours["5.2", "not-done"]  # the list says chapter 5, we say where in it
    assert len(wanted) > 20
    assert {key: n for key, n in wanted.items() if ours[key] < n} == {}


@pytest.mark.parametrize("snippet", ARTICLE.snippets, ids=lambda snippet: snippet.id)
def test_snippets_give_what_they_promise(snippet: Snippet):
    result = run_snippet(snippet.code, timeout=60)
    if snippet.error:
        assert (result["error"] or result["stdout"]).startswith(snippet.error)
    else:
        assert result["error"] is None
        assert result["stdout"].strip() == snippet.stdout.strip()


@pytest.mark.parametrize("snippet", ARTICLE.snippets, ids=lambda snippet: snippet.id)
def test_the_remedies_run(snippet: Snippet):
    program = compile(snippet.instead, snippet.id, "exec")
    if "download" not in snippet.instead:
        exec(program, {})


def test_every_snippet_belongs_to_a_claim():
    assert {id for claim in ARTICLE.claims for id in claim.snippets} == {one.id for one in ARTICLE.snippets}


def test_the_corrected_program_trains_and_is_short(capsys):
    assert len(ARTICLE.corrected.splitlines()) <= 75
    ast.parse(ARTICLE.corrected)
    program = runpy.run_path(str(FOLDER / "code" / "corrected.py"), run_name="corrected")
    assert sum(weights.numel() for weights in program["small_network"]().parameters()) == 62_006
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert 0 <= program["main"]("digits", 1) <= 1
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    assert re.fullmatch(r"epoch 1: loss \d\.\d+, validation accuracy [\d.]+%\ntest accuracy [\d.]+%\n", printed)


BROKEN = {
    "03_algorithm/zh.md": ("## 3.4", "## 3.5", "zh.md:", "3.4"),
    "04_mathematics/chapter.toml": ('id = "4.2"', 'id = 4.2', "chapter.toml:", "id"),
    "05_practice/chapter.toml": ("[[section]]", "[[section", "chapter.toml:1:", "TOML"),
    "06_applications/en.md": ("## 6.2", "### 6.2", "en.md:", "#"),
    "claims/code-trains.toml": ('verdict = "false"', 'verdict = "wrong"', "code-trains.toml:2:", "verdict"),
    "claims/karpathy-driving.toml": ('sections = ["6.1"]', 'sections = ["6.7"]', "karpathy-driving.toml:1:", "6.7"),
    "snippets/percent-d.toml": ("stdout =", "output =", "percent-d.toml:", "output"),
}


@pytest.mark.parametrize("file", BROKEN)
def test_one_broken_file_is_named_with_its_line_and_the_rest_loads(file, tmp_path):
    old, new, where, why = BROKEN[file]
    shutil.copytree(FOLDER, tmp_path / "article")
    path = tmp_path / "article" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    article = load_article(tmp_path / "article")
    assert len(article.errors) == 1
    assert where in str(article.errors[0])
    assert why in str(article.errors[0])
    assert article.errors[0].line == _line(text, old)
    assert _size(article) > 0.6 * _size(ARTICLE)


def _line(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


def _size(article: Article) -> int:
    return len(article.sections) + len(article.claims) + len(article.snippets)


def test_a_missing_file_is_an_error_too(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "article")
    (tmp_path / "article" / "02_concepts" / "en.md").unlink()
    (error,) = load_article(tmp_path / "article").errors
    assert "02_concepts/en.md:1: this file is missing" in str(error)


def test_texts_come_in_the_language_asked_for():
    assert {ARTICLE.section("2.1").title[language] for language in LANGUAGES} == {"Five concepts", "五个概念"}
    with pytest.raises(KeyError):
        ARTICLE.claim("nobody-said-this")
