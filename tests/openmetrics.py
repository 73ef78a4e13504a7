#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a file as an OpenMetrics parser and as node_exporter's older one do, both from the reference client, and
prints the samples of the first: NAME LABELS VALUE, tabs between them. Fails where they do not find the same."""
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics


def samples(families):
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


text = open(sys.argv[1], encoding="utf-8", newline="").read()
new = samples(openmetrics.text_string_to_metric_families(text))
assert new == samples(parser.text_string_to_metric_families(text)), "the two parsers differ"
for (name, labels), value in new.items():
    print(name, ",".join(f"{k}={v!r}" for k, v in labels), value, sep="\t")
