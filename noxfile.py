"""Every task of the repository: `nox -l` lists them, `nox -s NAME` runs one.

The packages are built once for each interpreter and set of sources; the sessions install those
wheels. Sessions write only below .nox, .cache, dist and docs/_build.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "typing", "tests"]
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).parent
PACKAGES = ROOT / "packages"
CACHE = ROOT / ".cache"
DIST = ROOT / "dist"

# Each package with the packages that its build needs, in build order.
NAMES: dict[str, list[str]] = {"wsframe": [], "wscore": ["wsframe"], "wsproxy": [], "wscompat": []}
COMPILED = ("wsframe", "wscore")

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")

TEST_TOOLS = (
    "pytest>=9",
    "pytest-asyncio>=1.4",
    "pytest-timeout",
    "pytest-xdist",
    "trustme",
    "uvloop",
)
# The peers and proxies of the demonstration and the interop tests.
PEERS = ("websockets>=16", "picows>=2", "tiny-proxy>=0.3", "rich")
# Further packages that individual tests need.
TESTED_WITH = (
    "wsproto",
    "aiohttp",
    "setuptools",
    "werkzeug",
    "prompt-toolkit",
    "pyte",
    "gql",
    "simpleobsws",
    "slack-sdk",
    "uvicorn>=0.40",
    "starlette",
    "isal",
    "zlib-ng",
)
# The contenders and tools of the benchmark, in the releases of the published figures.
MEASURED = (
    "picows==2.3.1",
    "websockets==17.4",
    "aiohttp",
    "aiofastnet",
    "isal",
    "zlib-ng",
    "uvloop",
    "trustme",
    "rich",
    "matplotlib",
    "setuptools",
)
BUILD_TOOLS = ("cmake>=3.26", "ninja>=1.11")
# The tests that `tests` runs on all Pythons but one: those whose result may differ. It leaves out
# uvloop, which is the same on all, and programs and packages that only use the others. `pythons`
# runs all tests.
PART = (
    *("-k", "not uvloop", "--ignore=tests/benchmarks", "--ignore=tests/campaign"),
    *("--ignore=tests/field", "--ignore=tests/fuzz_live", "--ignore=tests/wsproxy"),
)
# Another version may format differently.
LINTERS = ("ruff==0.17.5", "clang-format==23.1.5", "cython-lint==0.22.0", "codespell==2.4.3")


# --- Interpreters -------------------------------------------------------------------------------


def can_build(python: Path, version: str) -> bool:
    """Return whether an interpreter runs, is of this version, and has its headers and venv.

    This can only be checked by running it: pyenv puts commands on PATH for versions that are not
    selected, and they only print an error.
    """
    check = (
        "import pathlib, sys, sysconfig, venv;"
        f"ok = '%d.%d' % sys.version_info[:2] == {version!r};"
        "header = pathlib.Path(sysconfig.get_path('include'), 'Python.h');"
        "sys.exit(not (ok and header.is_file()))"
    )
    try:
        done = subprocess.run([python, "-I", "-c", check], capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def find_interpreter(version: str) -> Path | None:
    """Return an interpreter of this version: the one nox runs on, one of PATH, one of pyenv."""
    name = f"python{version}"
    folders = [Path(sys.base_prefix, "bin")] if version == HERE else []
    folders += [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(pyenv.glob(f"versions/{version}*/bin"), reverse=True)
    candidates = (folder / name for folder in folders)
    return next((python for python in candidates if can_build(python, version)), None)


def usable_versions() -> list[str]:
    """Return the versions to test, and let nox find exactly those interpreters by their names."""
    found = {version: find_interpreter(version) for version in VERSIONS}
    for version, python in found.items():
        if python and shutil.which(f"python{version}") != str(python):
            os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    # The version nox runs on is included even without headers: the build then reports it.
    return [version for version in VERSIONS if found[version] or version == HERE]


PYTHONS = usable_versions()


# --- Wheels -------------------------------------------------------------------------------------


def files_of(*folders: Path) -> Iterable[Path]:
    """Return all source files below some folders, without the files that tools create there."""
    ignored = {"__pycache__", "build", "dist"}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not ignored & set(path.relative_to(folder).parts):
                yield path


def digest(name: str) -> str:
    """Return a hash of everything that a package's wheel is built from."""
    folders = [PACKAGES / name, *(PACKAGES / needed for needed in NAMES[name])]
    result = hashlib.sha256()
    for path in files_of(*folders, *([ROOT / "cmake"] if name in COMPILED else [])):
        content = path.read_bytes()
        result.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode())
        result.update(content)
    return result.hexdigest()[:16]


def version_of(session: nox.Session) -> str:
    """Return the session's version of Python, such as `3.11`."""
    return session.python if isinstance(session.python, str) else HERE


def python_tag(session: nox.Session) -> str:
    """Return the name of the session's interpreter in file names, such as `cp311`."""
    return "cp" + version_of(session).replace(".", "")


def wheel_folder(session: nox.Session, name: str) -> Path:
    """Return the folder for the wheel of a package, built from the current sources."""
    return CACHE / "wheels" / python_tag(session) / f"{name}-{digest(name)}"


def built_wheels(session: nox.Session, names: Iterable[str] = NAMES) -> list[str]:
    """Return the wheels the `wheels` session has built."""
    return [str(next(wheel_folder(session, name).glob("*.whl"))) for name in names]


def install_packages(session: nox.Session, *tools: str) -> None:
    """Install the four packages into a session, with the tools it needs.

    All sessions install the packages with this function. In a reused environment, wheels that are
    already installed are skipped.
    """
    wheels = built_wheels(session)
    session.install(*wheels, *tools)
    note = Path(session.virtualenv.location, "installed-wheels.txt")
    if note.is_file() and note.read_text() != "\n".join(wheels):
        # pip compares only the version, which stays the same while the sources change.
        session.install("--force-reinstall", "--no-deps", *wheels)
    note.write_text("\n".join(wheels))


@nox.session(python=PYTHONS, default=False)
def wheels(session: nox.Session) -> None:
    """Build the wheels that the other sessions install, unless nothing has changed since."""
    missing = [name for name in NAMES if not list(wheel_folder(session, name).glob("*.whl"))]
    if not missing:
        session.log("the wheels are up to date")
        return
    if not any(map(shutil.which, ("cc", "gcc", "clang", "cl", os.environ.get("CC", "cc")))):
        session.error("no C compiler: install one (Debian, Ubuntu: apt install build-essential)")
    if not find_interpreter(version_of(session)):
        session.error(
            f"Python {version_of(session)} has no headers or no venv module here "
            "(Debian, Ubuntu: apt install python3-dev python3-venv)"
        )
    # Build isolation would compile wsframe a second time for wscore, so it is off, and the
    # requirements of the backends are installed here instead.
    session.install(*sorted(build_requirements()), *BUILD_TOOLS)
    for name in NAMES:
        if name in missing:
            build_wheel(session, name)


def build_requirements() -> set[str]:
    """Return the build requirements of all packages' pyproject.toml files."""
    projects = (nox.project.load_toml(PACKAGES / name / "pyproject.toml") for name in NAMES)
    return {needed for project in projects for needed in project["build-system"]["requires"]}


def build_wheel(session: nox.Session, name: str) -> None:
    """Build one wheel; compiled packages keep their build folders, to compile only what changed."""
    settings = []
    if name in COMPILED:
        if needed := NAMES[name]:
            wheels_needed = built_wheels(session, needed)
            session.install("--force-reinstall", "--no-deps", *wheels_needed)
        # A change of a linked package leads to a new folder: ninja does not detect all changes.
        parts = [name, *(digest(other) for other in NAMES[name])]
        build = CACHE / "build" / python_tag(session) / "-".join(parts)
        settings = [f"--config-settings=build-dir={build}"]
    target = wheel_folder(session, name)
    for old in target.parent.glob(f"{name}-*"):
        shutil.rmtree(old)
    session.run(
        *("python", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", str(target), *settings, str(PACKAGES / name)),
    )


# --- The main job and the tests -----------------------------------------------------------------


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def demo(session: nox.Session) -> None:
    """Connect every client to every server over loopback, and print a table of the results."""
    install_packages(session, "trustme", "uvloop", *PEERS)
    session.run("python", "tests/interop/demo.py", *session.posargs)


@nox.session(python=PYTHONS, requires=["wheels-{python}"])
def tests(session: nox.Session) -> None:
    """Run all tests on one Python, and some on the others; arguments after `--` go to pytest."""
    is_whole = session.python == HERE or session.posargs
    install_for_tests(session)
    run_pytest(session, *([] if is_whole else PART))


@nox.session(python=PYTHONS, requires=["wheels-{python}"], default=False)
def pythons(session: nox.Session) -> None:
    """Run all tests on every installed Python; arguments after `--` go to pytest."""
    install_for_tests(session)
    run_pytest(session)


def install_for_tests(session: nox.Session) -> None:
    """Install the requirements of the tests: the packages, peers, and build tools."""
    building = (*build_requirements(), *BUILD_TOOLS)
    install_packages(session, *TEST_TOOLS, *PEERS, *TESTED_WITH, *building)


def run_pytest(session: nox.Session, *options: str) -> None:
    """Run the tests in parallel, with these options and those that follow `--`."""
    # The tests wait more than they compute, so there are more of these than cores.
    session.run("pytest", "--numprocesses=4", "--dist=worksteal", *options, *session.posargs)


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def minimums(session: nox.Session) -> None:
    """Run the tests with the oldest allowed dependencies; arguments after `--` go to pytest.

    Peers that require newer ones may fail; they are not tested here.
    """
    install_for_tests(session)
    session.install("--no-deps", *oldest_dependencies())
    run_pytest(session)


def oldest_dependencies() -> list[str]:
    """Return the dependencies of the packages and their extras, each in its oldest version."""
    projects = [nox.project.load_toml(PACKAGES / name / "pyproject.toml") for name in NAMES]
    own = {project["project"]["name"] for project in projects}
    oldest = set()
    for project in projects:
        extras = project["project"].get("optional-dependencies", {})
        for needed in sum(extras.values(), project["project"].get("dependencies", [])):
            name, bound = re.match(r"([\w-]+)[^>=]*[>=]=([\d.]+)", needed).groups()  # type: ignore[union-attr]
            if name not in own:
                oldest.add(f"{name}=={bound}")
    return sorted(oldest)


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def conformance(session: nox.Session) -> None:
    """Test against browsers, Node, aiohttp and Autobahn; `-- --full` also runs slow cases.

    Arguments after `--` go to the Autobahn runner. It writes its reports to .cache/autobahn.
    """
    # The last virtualenv that supports Python 2.7, which the Autobahn suite needs.
    install_packages(session, *TEST_TOOLS, *TESTED_WITH, "virtualenv==20.15.1")
    node = CACHE / "node"
    if shutil.which("npm"):
        session.run("npm", "install", "--silent", "--prefix", str(node), "ws@8", external=True)
    modules = {"WS_TESTS_NODE_MODULES": str(node / "node_modules")}
    session.run("pytest", "tests/conformance", env=modules)
    python2 = find_python2()
    if python2 is None:
        session.skip("the Autobahn test suite needs Python 2.7, on PATH or in pyenv")
    suite = CACHE / "autobahn" / "python2"
    wstest = suite / "bin" / "wstest"
    if not wstest.is_file():
        session.run("python", "-m", "virtualenv", "--clear", "-p", str(python2), str(suite))
        session.run(
            str(suite / "bin" / "pip"), "install", "autobahntestsuite==0.8.2", external=True
        )
    autobahn = ("python", "-m", "tests.conformance.autobahn", "--wstest", str(wstest))
    session.run(*autobahn, *session.posargs)


def find_python2() -> Path | None:
    """Return a Python 2.7, one of PATH or one of pyenv."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(pyenv.glob("versions/2.7*/bin"), reverse=True)
    for python in (folder / "python2.7" for folder in folders):
        # pyenv's command of that name exists even if that version is not installed.
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run([python, "-c", ""], capture_output=True, check=True, timeout=30)
            return python
    return None


@nox.session(default=False)
def tests_c(session: nox.Session) -> None:
    """Run the unit tests of libwsframe: plain, under ASan and UBSan, and with clang under MSan."""
    session.install(*BUILD_TOOLS)
    configure_c(session, "plain", tests=True)
    configure_c(session, "asan", "address,undefined", tests=True)
    if shutil.which("clang"):
        configure_c(session, "msan", "memory", compiler="clang", tests=True)
    else:
        session.warn("no clang here, so no MSan")


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz libwsframe, alone and against other parsers; `-- SECONDS` for each target, else 60.

    New inputs are written to .cache/fuzz, and the input of a crash beside it.
    """
    if not shutil.which("clang"):
        session.error("libFuzzer needs clang (Debian, Ubuntu: apt install clang)")
    install_packages(session, "wsproto", *BUILD_TOOLS)
    build = configure_c(session, "fuzz", "address,undefined", compiler="clang", tests=False)
    seconds = session.posargs[0] if session.posargs else "60"
    for program in sorted(path for path in (build / "fuzz").glob("fuzz_*") if path.is_file()):
        target = program.stem.removeprefix("fuzz_")
        found = CACHE / "fuzz" / target
        found.mkdir(parents=True, exist_ok=True)
        session.run(
            *(str(program), f"-max_total_time={seconds}", f"-artifact_prefix={found.parent}/"),
            *("-print_final_stats=1", "-verbosity=1", "-max_len=4096"),
            *(str(found), str(PACKAGES / "wsframe" / "c" / "fuzz" / "corpus" / target)),
            external=True,
        )
    differential = PACKAGES / "wsframe" / "fuzz" / "differential.py"
    session.run("python", str(differential), "--seconds", seconds)


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def field(session: nox.Session) -> None:
    """Inject faults into communicating processes, and count lost messages; `-- MINUTES`, else 5.

    `-- MINUTES --compare` also tests websockets and picows; `-- --help` for all options.
    """
    run_field(session, {})


@nox.session(default=False)
def field_sanitized(session: nox.Session) -> None:
    """Do the same as `field`, built with ASan and UBSan."""
    run_field(session, install_sanitized(session))


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def fuzz_live(session: nox.Session) -> None:
    """Send mutated handshakes and frames to running servers and clients; `-- INPUTS`, else 10000.

    Their results are compared with those of websockets. `-- --help` for all options.
    """
    if sys.platform != "linux":
        session.skip("it looks into /proc, and ends its processes as Linux can")
    install_packages(session, "trustme", "uvloop", *PEERS)
    session.run("python", "-m", "tests.fuzz_live", *session.posargs)


def run_field(session: nox.Session, env: dict[str, str]) -> None:
    """Run the fault-injection campaign; without an environment with the wheels."""
    if sys.platform != "linux":
        session.skip("it looks into /proc, and ends its processes as Linux can")
    if not env:
        install_packages(session, "trustme", "uvloop", *PEERS)
    session.run("python", "-m", "tests.campaign", *session.posargs, env=env)


def configure_c(
    session: nox.Session, kind: str, sanitizers: str = "", compiler: str = "", *, tests: bool
) -> Path:
    """Build libwsframe in a folder of this kind; with tests run them, else build the fuzz targets.

    Args:
        session: has CMake and Ninja installed.
        kind: names the build folder.
        sanitizers: the value of `-fsanitize=`.
        compiler: used instead of the system's `cc`.
        tests: False builds the fuzz targets.

    Returns:
        The build folder.
    """
    build = CACHE / "build" / f"c-{kind}"
    flags = ""
    if sanitizers:
        flags = f"-fsanitize={sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer"
    if not tests:
        flags += " -fsanitize=fuzzer-no-link"
    compilers = []
    if compiler:
        compilers = [f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_CXX_COMPILER={compiler}++"]
    session.run(
        *("cmake", "-S", str(PACKAGES / "wsframe" / "c"), "-B", str(build), "-G", "Ninja"),
        *("-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DWSFRAME_WERROR=ON", *compilers),
        *(f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"),
        *(
            f"-DWSFRAME_TESTS={'ON' if tests else 'OFF'}",
            f"-DWSFRAME_FUZZERS={'OFF' if tests else 'ON'}",
        ),
    )
    session.run("cmake", "--build", str(build))
    if tests:
        session.run("ctest", "--test-dir", str(build), "--output-on-failure", *session.posargs)
    return build


# --- Builds for debugging -------------------------------------------------------------------------


def install_built_for(
    session: nox.Session, purpose: str, *settings: str, env: dict[str, str] | None = None
) -> None:
    """Install all four packages, the compiled ones built for one purpose only.

    Args:
        session: the session to install into, with the tools of the tests.
        purpose: the name of the build folders.
        *settings: further settings of scikit-build-core, as `key=value`.
        env: environment of the builds; wscore's imports wsframe as it was built before.
    """
    building = (*sorted(build_requirements()), *BUILD_TOOLS)
    session.install(*building, *TEST_TOOLS, *PEERS, *TESTED_WITH)
    for name in NAMES:
        how = []
        if name in COMPILED:
            build = CACHE / "build" / purpose / python_tag(session) / name
            how = [f"--config-settings={each}" for each in (f"build-dir={build}", *settings)]
        session.install("--no-build-isolation", *how, str(PACKAGES / name), env=env)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Measure line coverage, including Cython, in .cache/coverage; arguments after `--`: pytest's.

    Only the test process is measured, not the programs that tests start.
    """
    install_built_for(
        session,
        "coverage",
        "cmake.define.CYTHON_LINE_TRACE=ON",
        "wheel.exclude=",  # coverage.py looks for the .pyx files where the modules are
    )
    session.install("coverage>=7.10")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs, success_codes=[0, 1])
    session.run("coverage", "html", "--quiet")
    session.run("coverage", "report")


@nox.session(default=False)
def sanitize(session: nox.Session) -> None:
    """Run wscore's tests under ASan and UBSan, or those given to pytest after `--`."""
    environment = install_sanitized(session)
    session.run("pytest", *(session.posargs or ["tests/wscore"]), env=environment)


def install_sanitized(session: nox.Session) -> dict[str, str]:
    """Install the packages built with ASan and UBSan, and return the environment to run them in."""
    flags = (
        "-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer "
        # A free list would hide a use after free.
        "-DCYTHON_USE_FREELISTS=0"
    )
    preloaded = {
        "LD_PRELOAD": f"{library(session, 'libasan.so')} {library(session, 'libubsan.so')}",
        # CPython intentionally keeps memory until its process ends, tests request more memory than
        # exists, and Squid, which inherits this, deletes objects with a wrong size.
        "ASAN_OPTIONS": "detect_leaks=0:strict_string_checks=1:allocator_may_return_null=1"
        ":new_delete_type_mismatch=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    install_built_for(
        session,
        "sanitize",
        "cmake.build-type=Debug",
        f"cmake.define.CMAKE_C_FLAGS={flags}",
        env=preloaded,
    )
    # CPython's own allocator would hide the same errors as free lists.
    return {**preloaded, "PYTHONMALLOC": "malloc"}


def library(session: nox.Session, name: str) -> str:
    """Return the path of a library that comes with the C compiler."""
    command = [os.environ.get("CC", "cc"), f"-print-file-name={name}"]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    if not Path(found).is_absolute():
        session.error(f"{command[0]} has no {name}; the sanitizers are those of GCC")
    return found


# --- Speed --------------------------------------------------------------------------------------


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def bench(session: nox.Session) -> None:
    """Compare with other libraries and a C program; `-- --quick`: within five minutes, `-- --help`.

    Writes the results, and charts of them, to .cache/bench.
    """
    install_packages(session, *MEASURED, *build_requirements(), *BUILD_TOOLS)
    place = CACHE / "bench"
    built = place / python_tag(session)
    session.run("python", "-m", "benchmarks.bench.build", str(built))
    session.run(
        *("python", "-m", "benchmarks.bench", "--reference", str(built / "reference")),
        *("--json", str(place / "results.json"), "--charts", str(place / "charts")),
        *session.posargs,
        env={"PYTHONPATH": str(built)},
    )


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def fairness(session: nox.Session) -> None:
    """Measure the latency of one connection beside floods; `-- --quick`: within three minutes.

    Writes the results, and charts of them, to .cache/fairness.
    """
    install_packages(session, *MEASURED)
    place = CACHE / "fairness"
    session.run(
        *("python", "-m", "benchmarks.fairness", "--json", str(place / "results.json")),
        *("--charts", str(place / "charts"), *session.posargs),
    )


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def instructions(session: nox.Session) -> None:
    """Count the instructions of fixed work with callgrind; fail if they exceed the recorded ones.

    `-- --update` records the new counts.
    """
    if not shutil.which("valgrind"):
        session.skip("nothing to count with: no valgrind (Debian, Ubuntu: apt install valgrind)")
    install_packages(session)
    session.run("python", "-m", "benchmarks.instructions", *session.posargs)


# --- Checks of the sources ----------------------------------------------------------------------


def sources(*suffixes: str) -> list[str]:
    """Return the files, with one of these suffixes if there are any, that git does not ignore.

    Files that were built in the tree, such as the site or a module's C file, are left out.
    """
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    found = [name for name in listed.decode().split("\0") if (ROOT / name).is_file()]
    return [name for name in found if not suffixes or name.endswith(suffixes)]


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style of all sources, and the spelling; `-- --fix` fixes the formatting."""
    session.install(*LINTERS)
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")
    sources_of_c = sources(".c", ".h", ".cpp", ".hpp")
    session.run("clang-format", *(["-i"] if fix else ["--dry-run", "-Werror"]), *sources_of_c)
    session.run("cython-lint", *sources(".pyx", ".pxd"))
    session.log("codespell, all files that git keeps")
    session.run("codespell", *sources(), log=False)


@nox.session(requires=[f"wheels-{HERE}"])
def typing(session: nox.Session) -> None:
    """Check the types, and the stubs of compiled modules against the modules."""
    install_packages(session, "mypy", "nox", "werkzeug", "prompt-toolkit", *TEST_TOOLS)
    session.run("mypy", *(str(PACKAGES / name / "src" / name) for name in NAMES))
    session.run("mypy", "noxfile.py", "tests/conftest.py", "tests/support")
    allowed = ROOT / "tests" / "stubtest-allowed.txt"
    session.chdir(session.create_tmp())
    session.run("stubtest", "--allowlist", str(allowed), *COMPILED)


# --- Distributions -------------------------------------------------------------------------------


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def dist(session: nox.Session) -> None:
    """Build the sdist of each package, and its wheel from the sdist, both into dist/."""
    session.install("build", "twine", *sorted(build_requirements()))
    shutil.rmtree(DIST, ignore_errors=True)
    # wscore's sdist requires wsframe by name; until it is published only dist/ has it.
    known = " ".join([DIST.as_uri(), *os.environ.get("PIP_FIND_LINKS", "").split()])
    for name in NAMES:
        # Nothing is compiled for an sdist, so it needs no isolated environment; its wheel does, as
        # when a user builds it.
        session.run(
            *("python", "-m", "build", "--sdist", "--no-isolation", "--skip-dependency-check"),
            *("--outdir", str(DIST), str(PACKAGES / name)),
        )
        (sdist,) = DIST.glob(f"{name}[-_]*.tar.gz")
        session.run(
            *("python", "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(DIST), str(sdist)),
            env={"PIP_FIND_LINKS": known},
        )
    session.run("twine", "check", "--strict", *map(str, sorted(DIST.iterdir())))
    for from_tree in map(Path, built_wheels(session)):
        missing = content(from_tree) ^ content(DIST / from_tree.name)
        if missing:
            session.error(f"{from_tree.name}: tree and sdist make different wheels: {missing}")


def content(wheel: Path) -> set[str]:
    """Return the names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@nox.session(requires=["dist"], default=False)
def layers(session: nox.Session) -> None:
    """Install each package alone from its wheel, use it, and check what else was installed."""
    session.install("virtualenv")
    for name in NAMES:
        place = Path(session.create_tmp(), name)
        session.run("virtualenv", "--quiet", "--clear", str(place))
        python = str(place / ("Scripts" if os.name == "nt" else "bin") / "python")
        (wheel,) = DIST.glob(f"{name}[-_]*.whl")
        known = ("--find-links", str(DIST))
        session.run(python, "-m", "pip", "install", "--quiet", *known, str(wheel), external=True)
        session.run(python, "-I", f"tests/layers/{name}_alone.py", external=True)


# --- Documentation and development --------------------------------------------------------------


@nox.session(requires=[f"wheels-{HERE}"], default=False)
def docs(session: nox.Session) -> None:
    """Build the site of all packages into docs/_build/html; a warning is an error."""
    # Sphinx 9.0 loses the signatures that docs/_ext finds in the stubs.
    install_packages(session, "sphinx>=8.2,<9", "furo", "myst-parser", "sphinx-copybutton")
    built = ROOT / "docs" / "_build"
    session.run(
        *("sphinx-build", "--fail-on-warning", "--keep-going", "--fresh-env", "--builder", "html"),
        *("--doctree-dir", str(built / "doctrees"), str(ROOT / "docs"), str(built / "html")),
    )


@nox.session(default=False)
def dev(session: nox.Session) -> None:
    """Install all packages editable, with the tools, into .nox/dev; run it again to rebuild.

    Python files are used directly from the sources. After a change to a C or Cython file, running
    it again recompiles what depends on it. `-- Debug` builds for debuggers, `-- RelWithDebInfo` for
    profilers.
    """
    build_type = session.posargs[0] if session.posargs else "Release"
    session.install(*sorted(build_requirements()), *BUILD_TOOLS, *TEST_TOOLS, *PEERS, "mypy")
    for name in NAMES:
        how = []
        if name in COMPILED:
            build = CACHE / "build" / "dev" / build_type / name
            settings = (f"build-dir={build}", f"cmake.build-type={build_type}")
            how = ["--no-build-isolation", *(f"--config-settings={each}" for each in settings)]
        session.install(*how, "--editable", str(PACKAGES / name))
    session.log(f"use {Path(session.bin, 'python').relative_to(ROOT)}")
