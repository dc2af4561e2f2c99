"""`python -m wsframe`."""

import pytest

import wsframe
from wsframe.__main__ import main


def test_flags(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--cflags", "--libs"])
    assert capsys.readouterr().out.split() == [
        f"-I{wsframe.get_include()}",
        wsframe.get_library(),
    ]


def test_folders(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--cmakedir", "--pkgconfigdir"])
    assert capsys.readouterr().out.split() == [
        wsframe.get_cmake_dir(),
        wsframe.get_pkgconfig_dir(),
    ]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == wsframe.__version__


def test_nothing_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "at least one option is required" in capsys.readouterr().err
