#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a file as Prometheus's reference client does and prints its samples: NAME LABELS VALUE, tabs between them. Fails
at what that client takes and node_exporter does not: a timestamp, an exemplar, a type that the format has not."""
import sys
from prometheus_client import parser

TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}
for family in parser.text_string_to_metric_families(open(sys.argv[1], encoding="utf-8", newline="").read()):
    assert family.type in TYPES, f"{family.name}: {family.type}"
    for s in family.samples:
        assert s.timestamp is None and s.exemplar is None, s
        assert (family.type == "counter") == s.name.endswith("_total"), f"{s.name}: {family.type}"
        print(s.name, ",".join(f"{k}={v!r}" for k, v in sorted(s.labels.items())), s.value, sep="\t")
