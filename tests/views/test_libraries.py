import subprocess
import sys
from pathlib import Path

import pytest

from course.views import ViewError
from course.views.libraries import bertviz_script, own_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Makes a bertviz of one's own making the only one that is installed."""

    def install(version: str, **scripts: str) -> None:
        (tmp_path / f"bertviz-{version}.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: bertviz\nVersion: {version}\n"
        (tmp_path / f"bertviz-{version}.dist-info" / "METADATA").write_text(metadata)
        (tmp_path / "bertviz").mkdir()
        for name, source in scripts.items():
            (tmp_path / "bertviz" / f"{name}.js").write_text(source)

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return install


def test_scripts_are_read_as_published():
    for name in ("head_view", "model_view"):
        assert "const params = PYTHON_PARAMS" in bertviz_script(name)
    assert "window.bertviz_params" in bertviz_script("neuron_view")


def test_vendored_library_is_the_version_that_bertviz_was_tried_with():
    assert "v5.16.0" in own_file("vendor/d3.min.js")[:80]


def test_missing_bertviz(installed):
    with pytest.raises(ViewError, match=r"not installed: pip install 'bertviz>=1\.4\.1,<1\.5'"):
        bertviz_script("head_view")


@pytest.mark.parametrize("version", ["1.4.0", "1.5.0", "2.0", "1.4.1rc1", "1.4"])
def test_other_version_of_bertviz(installed, version):
    installed(version, head_view="requirejs(PYTHON_PARAMS)")
    with pytest.raises(ViewError, match=rf"bertviz {version} is installed.*pip install 'bertviz>=1\.4\.1"):
        bertviz_script("head_view")


def test_later_patch_of_bertviz_is_welcome(installed):
    installed("1.4.7", head_view="requirejs(PYTHON_PARAMS)")
    assert bertviz_script("head_view") == "requirejs(PYTHON_PARAMS)"


@pytest.mark.parametrize("scripts", [{}, {"model_view": ""}, {"model_view": "half a scr"}])
def test_missing_or_damaged_script(installed, scripts):
    installed("1.4.1", **scripts)
    with pytest.raises(ViewError, match=r"model_view\.js of bertviz 1\.4\.1 is missing or damaged.*--force-reinstall"):
        bertviz_script("model_view")


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_importing_the_views_imports_nothing_heavy():
    loaded = loaded_after("import course.views; dir(course.views)")
    assert not loaded & {"torch", "matplotlib", "IPython", "numpy", "bertviz"}


def test_a_picture_imports_neither_bertviz_nor_pyplot():
    loaded = loaded_after(
        "from tests.views.synthetic import attention\n"
        "from course.views import head_view, model_view\nhead_view(attention()), model_view(attention())"
    )
    assert "matplotlib" in loaded
    assert not loaded & {"bertviz", "IPython", "matplotlib.pyplot"}


def test_unknown_name_lists_the_known_ones():
    import course.views

    with pytest.raises(AttributeError, match=r"head_view, .*model_view"):
        _ = course.views.grid_view
