"""The table and the saved queries, on real lines: reads a folder with table.json (the columns of the Glue table), lines.jsonl and
queries.json; writes the lines into Parquet in the types of the table, as the archive has them; reads them back and compares; runs the
queries. Queries are parsed as Athena's SQL and translated for DuckDB. Prints what came out as JSON.
"""
import json
import os
import sys

import duckdb
import sqlglot

folder = sys.argv[1]


def split(text: str) -> list[str]:
    """`a:bigint,b:struct<c:string,d:string>` at its outermost commas."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def parse(glue: str):
    if glue.startswith("array<"):
        return ("array", parse(glue[6:-1]))
    if glue.startswith("struct<"):
        return ("struct", {name: parse(kind) for name, kind in (field.split(":", 1) for field in split(glue[7:-1]))})
    return (glue, None)


def duck(kind) -> str:
    name, inner = kind
    if name == "array":
        return f"{duck(inner)}[]"
    if name == "struct":
        return "STRUCT(" + ", ".join(f'"{field}" {duck(one)}' for field, one in inner.items()) + ")"
    return {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}[name]


def misfits(value, kind, path: str) -> list[str]:
    """Where a value has no column, or one of another type; nothing is converted in silence."""
    name, inner = kind
    if name == "struct":
        if not isinstance(value, dict):
            return [f"{path} is no struct"]
        return [one for key, item in value.items() for one in (misfits(item, inner[key], f"{path}.{key}") if key in inner else [f"{path}.{key} has no column"])]
    if name == "array":
        return [one for item in value for one in misfits(item, inner, f"{path}[]")] if isinstance(value, list) else [f"{path} is no array"]
    fits = {
        "string": isinstance(value, str),
        "bigint": isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63,
        "double": isinstance(value, (int, float)) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }
    return [] if fits[name] else [f"{path} is no {name}: {value!r}"]


def present(value):
    """Without the attributes that a line does not have, which a table shows as NULL."""
    if isinstance(value, dict):
        return {key: present(item) for key, item in value.items() if item is not None}
    return [present(item) for item in value] if isinstance(value, list) else value


with open(os.path.join(folder, "table.json")) as file:
    table = json.load(file)
row = ("struct", {column["Name"]: parse(column["Type"]) for column in table["columns"]})
with open(os.path.join(folder, "lines.jsonl")) as file:
    lines = [json.loads(line) for line in file]

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
columns = ", ".join(f"'{name}': '{duck(kind)}'" for name, kind in row[1].items())
source = f"read_json('{folder}/lines.jsonl', format = 'newline_delimited', columns = {{{columns}}}, maximum_object_size = 16777216)"
os.makedirs(os.path.join(folder, "audit"))
connection.execute(
    f"COPY (SELECT *, strftime(make_timestamp(time * 1000), '%Y-%m-%d') AS day FROM {source}) "
    f"TO '{folder}/audit' (FORMAT parquet, PARTITION_BY (day), COMPRESSION gzip)"
)
connection.execute(f"CREATE SCHEMA {table['database']}")
connection.execute(
    f"CREATE VIEW {table['database']}.{table['name']} AS SELECT * FROM "
    f"read_parquet('{folder}/audit/*/*.parquet', hive_partitioning = true, hive_types = {{'day': VARCHAR}})"
)

names = list(row[1])
stored = connection.execute(f"SELECT {', '.join(chr(34) + name + chr(34) for name in names)} FROM {table['database']}.{table['name']}").fetchall()
own_hash = lambda line: line["unmapped"]["chain"]["hash"]
came_back = sorted((present(dict(zip(names, one))) for one in stored), key=own_hash)

results = {}
with open(os.path.join(folder, "queries.json")) as file:
    for query in json.load(file):
        (sql,) = sqlglot.transpile(query["sql"], read="athena", write="duckdb")
        cursor = connection.execute(sql, query["values"])
        heads = [head[0] for head in cursor.description]
        results[query["name"]] = [dict(zip(heads, one)) for one in cursor.fetchall()]

print(
    json.dumps(
        {
            "lines": len(lines),
            "misfits": sorted({one for line in lines for one in misfits(line, row, "line")}),
            "rows": len(stored),
            "same": came_back == sorted(lines, key=own_hash),
            "filled": [name for name in names if any(name in line for line in lines)],
            "results": results,
        },
        default=str,
    )
)
