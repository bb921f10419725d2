import pytest

import servers


@pytest.fixture(scope="session")
def base():
    with servers.gateway() as address:
        yield address
