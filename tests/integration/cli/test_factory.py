"""factory: upstream's answers where templates are switched off, and the truth where they are on."""
import pytest

from bed import kata_config


@pytest.mark.parametrize("verb, text", [("init", "vm factory or VMCache is not enabled\n"),
                                        ("status", "vm factory not enabled\n"), ("destroy", "vm factory destroyed\n")])
def test_switched_off(kata, tmp_path, verb, text):
    config = kata_config.write(tmp_path / "c.toml")
    result = kata("--config", config, "factory", verb).ok()
    assert (result.out, result.err) == (text, "")


@pytest.mark.parametrize("key, value", [("enable_template", True), ("vm_cache_number", 3)])
def test_switched_on(kata, tmp_path, key, value):
    config = kata_config.write(tmp_path / "c.toml", {"factory": {key: value}})
    result = kata("--config", config, "factory", "init")
    assert result.code == 1 and result.out == ""
    for words in (f"[factory] {key} = {str(value).lower()}", "is not supported by this runtime", config):
        assert words in result.err, result.describe()
    result = kata("--config", config, "factory", "status").ok()
    assert result.out == "vm factory is off\n" and "not supported" in result.err
    assert kata("--config", config, "factory", "destroy").ok().out == "vm factory destroyed\n"
    # Whoever checks the file is told the line.
    line = next(number for number, text in enumerate(open(config), 1) if text.startswith(key))
    assert f"not yet effective: {config}:{line}: factory.{key}" in kata("config", "check", config).ok().out


def test_slips(kata, tmp_path):
    assert kata("factory").code == 1 and kata("factory", "make").code == 1
    result = kata("--config", tmp_path / "none.toml", "factory", "status")
    assert result.code == 1 and "none.toml" in result.err
