"""What the tests of the deployed service are given."""

import pytest

from pipeline import Pipeline
from stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The service, deployed once a run."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.stop()


@pytest.fixture
def pipeline(stack, unique):
    """A workflow team's state machine that waits for people."""
    return Pipeline(stack, unique)
