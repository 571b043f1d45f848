"""A pool of rows that are in memory already: an Arrow table, a DataFrame, a dataset of the datasets library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from backend.data.batch import Source
from backend.data.pool import Plan, assembled, normalised
from backend.errors import PoolError
from backend.records import Pool


def pool_of_table(table: pa.Table, *, name: str = "table", mapping: Mapping[str, str] | None = None) -> Pool:
    """The rows of a table as a pool, in the format that its columns have, or as `mapping` says.

    Raises
    ------
    PoolError : as for `load_pool`.
    """
    source = Source(name, name, max(1, table.nbytes), table=table)
    given = dict(mapping or {})
    return assembled(Plan(name, ((name, source.size),), given), normalised(source, given or None))


def table_of(data: Any) -> pa.Table:
    """The rows of a pandas DataFrame or of a `datasets.Dataset`, in its order.

    Raises
    ------
    PoolError : it is neither, or a column holds values of different kinds.
    """
    # slow to import, and only here
    import datasets
    import pandas as pd

    if isinstance(data, pa.Table):
        return data
    if isinstance(data, datasets.Dataset):
        # a selection or a shuffle is a list of row numbers over the table that it was made from
        return data.with_format("arrow")[:] if data._indices is not None else data.data.table
    if isinstance(data, datasets.DatasetDict):
        raise PoolError(f"this holds several datasets; give one of them (found: {', '.join(map(str, data))})")
    if isinstance(data, pd.DataFrame):
        try:
            return pa.Table.from_pandas(data, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise PoolError(f"the DataFrame cannot be read: {error}") from error
    raise PoolError(
        f"{type(data).__name__} is no pool; expected files, folders, a hub dataset id, a datasets.Dataset, a pandas "
        "DataFrame or a pyarrow.Table"
    )
