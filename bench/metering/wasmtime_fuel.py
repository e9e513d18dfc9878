"""Wasmtime's own slowdown from fuel: reads [[wasm file, rounds], ...] as JSON, prints the ratio of each as JSON."""

import json
import statistics
import sys
import time

from wasmtime import Config, Engine, Instance, Module, Store

WARM_UPS = 3
TURNS = 11


def start(file, fuel):
    config = Config()
    config.consume_fuel = fuel
    store = Store(Engine(config))
    if fuel:
        store.set_fuel(1 << 60)
    exports = Instance(store, Module.from_file(store.engine, file), []).exports(store)
    if "_start" in exports:
        exports["_start"](store)

    def call(rounds):
        if fuel:
            store.set_fuel(1 << 60)
        started = time.perf_counter()
        exports["run"](store, rounds)
        return time.perf_counter() - started

    return call


def ratio(file, rounds):
    plain, fueled = start(file, False), start(file, True)
    for _ in range(WARM_UPS):
        plain(rounds), fueled(rounds)
    ratios = []
    for turn in range(TURNS):
        if turn % 2:
            base = plain(rounds)
            ratios.append(fueled(rounds) / base)
        else:
            own = fueled(rounds)
            ratios.append(own / plain(rounds))
    return statistics.median(ratios)


print(json.dumps([ratio(file, rounds) for file, rounds in json.load(sys.stdin)]))
