"""The cluster's side, against a kubectl that keeps its objects in files; and the manifests, by the real one."""
import os
import shutil

import pytest

from bed import places, run
from bed.installer import Node

KUBECTL = r"""#!/usr/bin/python3
import json, os, pathlib, sys
home = pathlib.Path(os.environ["FAKE_CLUSTER"])
labels, words = json.loads((home / "nodes.json").read_text()), [w for w in sys.argv[1:] if not w.startswith("--request")]
with open(home / "calls", "a") as log: print(*words, file=log)
if words[:2] == ["get", "node"]:
    if words[2] not in labels: sys.exit(f'nodes "{words[2]}" not found')
    print(json.dumps({"metadata": {"labels": labels[words[2]]}}))
elif words[:2] == ["get", "nodes"]:
    key, value = words[3].split("=")
    print("\n".join("node/" + name for name, own in labels.items() if own.get(key) == value))
elif words[0] == "label":
    key, _, value = words[4].partition("=")
    if value: labels[words[2]][key] = value
    else: labels[words[2]].pop(key.rstrip("-"), None)
    (home / "nodes.json").write_text(json.dumps(labels))
elif words[:3] == ["get", "runtimeclass", "-l"]:
    key, value = words[3].split("=")
    for name in ("kata", "kata-qemu", "other"):
        if (home / name).exists() and f"\n  labels:\n    {key}: {value}\n" in (home / name).read_text():
            print("runtimeclass.node.k8s.io/" + name)
elif words[:2] == ["get", "runtimeclass"]:
    print("runtimeclass/" + words[2] if (home / words[2]).exists() else "")
elif words[0] == "create":
    text = pathlib.Path(words[2]).read_text()
    (home / text.split("handler: ")[1].split()[0]).write_text(text)
elif words[:2] == ["delete", "runtimeclass"]:
    (home / words[2]).unlink(missing_ok=True)
else:
    sys.exit("what? " + " ".join(words))
"""


@pytest.fixture
def cluster(tmp_path, small):
    home = tmp_path / "cluster"
    home.mkdir()
    (home / "kubectl").write_text(KUBECTL)
    (home / "kubectl").chmod(0o755)
    (home / "nodes.json").write_text('{"a": {"x": "y"}, "b": {}}')
    shutil.copytree(places.REPO / "deploy" / "manifests", small / "deploy" / "manifests")
    return home


def test_label_and_classes_come_and_go(node, cluster, tmp_path, small):
    other, env = Node(tmp_path / "other", small), dict(os.environ, PATH=f"{cluster}:{os.environ['PATH']}", FAKE_CLUSTER=str(cluster))
    node("install", "--node", "a", env=env).ok()
    other("install", "--node", "b", env=env).ok()
    assert (cluster / "nodes.json").read_text().count('"katacontainers.io/kata-runtime": "true"') == 2
    assert 'memory: "160Mi"' in (cluster / "kata-qemu").read_text()
    assert "other nodes have the label" in node("uninstall", env=env).ok().out
    assert (cluster / "kata").exists()
    # Made by node a's installation, taken back by the last node.
    other("uninstall", env=env).ok()
    assert (cluster / "nodes.json").read_text() == '{"a": {"x": "y"}, "b": {}}'
    assert not (cluster / "kata").exists() and not (cluster / "kata-qemu").exists()


def test_classes_of_others_stay(node, cluster):
    """Made by kubectl apply -k, or by hand."""
    env = dict(os.environ, PATH=f"{cluster}:{os.environ['PATH']}", FAKE_CLUSTER=str(cluster))
    (cluster / "kata").write_text("handler: kata\n")
    (cluster / "other").write_text("\n  labels:\n    katacontainers.io/made-by: deploy-install\n")
    assert "stays as it is" in node("install", "--node", "a", env=env).ok().out
    node("uninstall", env=env).ok()
    assert (cluster / "kata").exists() and (cluster / "other").exists() and not (cluster / "kata-qemu").exists()


def test_an_unknown_node_is_an_error_and_uninstall_still_works(node, cluster):
    env = dict(os.environ, PATH=f"{cluster}:{os.environ['PATH']}", FAKE_CLUSTER=str(cluster))
    result = node("install", "--node", "nobody", env=env)
    assert result.code == 1 and 'nodes "nobody" not found' in result.err
    node("uninstall", env=env).ok()
    assert list(node.root.iterdir()) == []


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl: the manifests are not rendered")
@pytest.mark.parametrize("name, has, has_not", [("base", "nodeSelector", "320Mi"), ("any-node", "160Mi", "nodeSelector"),
                                                ("emulation", "320Mi", "160Mi")])
def test_manifests_render(name, has, has_not):
    out = run.run(["kubectl", "kustomize", places.REPO / "deploy" / "manifests" / name]).ok().out
    assert out.count("kind: RuntimeClass") == 2 and has in out and has_not not in out
