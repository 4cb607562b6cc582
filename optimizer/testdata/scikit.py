"""Trains scikit-learn's models on the sets that TestAgainstScikit uses; prints JSON."""
import csv
import json
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import MinMaxScaler

warnings.filterwarnings("ignore")
INPUTS = ["AVG_RR", "SUM_RR", "CPU", "Inter", "CTXSW", "KBIn", "PktIn", "KBOut", "PktOut"]
SETS = [("mta", "mta.csv", None), ("hosszu", "hosszu.csv", None), ("grafana", "grafana.csv", None),
        ("sim_adhoc300", "sim_train_adhoc300.csv", "sim_test.csv"),
        ("sim_designed300", "sim_train_designed300.csv", "sim_test.csv")]


def read(folder, name):
    rows = []
    with open(f"{folder}/{name}", newline="") as f:
        for r in csv.DictReader(f):
            try:
                rows.append([float(r[c]) for c in INPUTS + ["vm_number", "AVG_LAT_05"]])
            except ValueError:  # null, or empty
                pass
    d = np.array(rows)
    return d[:, : len(INPUTS)], d[:, -1]


def score(y, p, seconds):
    both = np.clip(np.log(np.where(p > 0, p, 1e-300)) - np.log(y), -20, 20)
    return {"train_seconds": seconds, "r2_test": float(r2_score(y, p)),
            "medape_test": float(np.median(np.abs(p - y) / np.abs(y))), "log_error_test": float(np.mean(np.abs(both)))}


def run(x, y, xt, yt):
    sx, sy = MinMaxScaler((-1, 1)).fit(x), MinMaxScaler((-1, 1)).fit(y[:, None])
    a, b = sx.transform(x), sy.transform(y[:, None])[:, 0]
    out = {}
    net = MLPRegressor((4,), activation="tanh", solver="lbfgs", max_iter=250, alpha=0.01, tol=1e-8, random_state=1234)
    seconds = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        net.fit(a, b)
        seconds = min(seconds, time.perf_counter() - begin)
    out["mlp4"] = score(yt, sy.inverse_transform(net.predict(sx.transform(xt))[:, None])[:, 0], seconds)
    out["mlp4"]["loss"] = float(net.loss_)
    begin = time.perf_counter()
    lin = LinearRegression().fit(x, y)
    out["linreg"] = score(yt, lin.predict(xt), time.perf_counter() - begin)
    return out


result = {}
for name, train, test in SETS:
    x, y = read(sys.argv[1], train)
    if test:
        xt, yt = read(sys.argv[1], test)
    else:
        cut = int(0.7 * len(y))
        x, y, xt, yt = x[:cut], y[:cut], x[cut:], y[cut:]
    result[name] = run(x, y, xt, yt)
print(json.dumps(result))
