"""`corundum calibrate` end to end, on a model that compiles at once."""

import pytest

import corundum as co
from corundum.cli.main import main

RUN = """
title = "nearer"
[halos]
kind = "halos.complete_roots"
n = 24
log_mvir = [10.5, 12.5]
[model]
kind = "models.MinimalRegulator"
[output]
redshifts = [0.0]
[calibrate]
survey = "./stars.toml"
free = ["mass_loading.constant"]
rounds = 1
"""

SURVEY = """
meaning = "stars of halos"
[[test]]
data = "shmr_behroozi19_sf"
redshift = 0.0
tolerance = 0.1
calibrates = true
[[test]]
data = "sfms_davies16"
galaxies = "star-forming"
redshift = 0.0
tolerance = 0.3
"""


@pytest.fixture
def run_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(RUN)
    (tmp_path / "stars.toml").write_text(SURVEY)
    return str(tmp_path / "run.toml")


def test_a_calibration_is_reported_saved_and_done_once(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["calibrate", run_file, "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "after 1 round, 8 points, 1 number" in printed and "within tolerance:" in printed
    saved = co.io.load_calibration(out / "calibration.json")
    assert saved.survey == "stars" and set(saved.values) == {"mass_loading.constant"}
    assert saved.lower["mass_loading.constant"] < saved.values["mass_loading.constant"]
    assert [row["calibrates"] for row in saved.residuals] == [True, False]
    model = co.replace(co.models.MinimalRegulator(), saved.values)
    assert float(model.mass_loading.constant) == saved.values["mass_loading.constant"]
    report = (out / "report.html").read_text()
    assert "rms before" in report and "narrower than its prior" in report and "Davies et al. 2016" in report
    assert (out / "figures" / "survey.png").exists()
    assert main(["calibrate", run_file, "-o", str(out)]) == 0
    assert "finished" in capsys.readouterr().out


@pytest.mark.parametrize("setting,sentence", [
    ("calibrate.survey='referense'", "did you mean reference"),
    ("calibrate.survey='./none.toml'", "there is no such file"),
    ("calibrate.free=['mass_loading.constnt']", "did you mean mass_loading.constant"),
    ("calibrate.rounds=0", "rounds"),
    ("calibrate.ties={'energy_loading.slope'='x'}", "follows x, which is not free"),
    ("halos.redshift=1.0", "counted at other redshifts than those of the survey"),
    ("calibrate.round=2", "unknown key; did you mean rounds"),
    ("calibrate.priors={'mass_loading.constant'={kind='Normla', loc=1.0, scale=0.1}}", "Normla"),
])  # fmt: skip
def test_mistakes_are_one_sentence_and_exit_code_2(run_file, tmp_path, capsys, setting, sentence):
    assert main(["calibrate", run_file, "-o", str(tmp_path / "out"), "--set", setting]) == 2
    error = capsys.readouterr().err
    assert sentence in error and "Traceback" not in error


@pytest.mark.parametrize("line,sentence", [
    ("tolerance = -1.0", "tolerance -1.0, allowed a number from 0 to 100"),
    ("galaxies = 'dwarfs'", "galaxies 'dwarfs', allowed all, centrals"),
    ("colour = 'red'", "unknown key colour, allowed between"),
    ("between = [20.0, 21.0]", "no point of shmr_behroozi19_sf"),
    ("between = 12.0", "between 12.0, allowed the least and the largest x"),
])  # fmt: skip
def test_mistakes_in_a_survey_are_one_sentence(run_file, tmp_path, line, sentence):
    text = SURVEY.replace("tolerance = 0.1\n", f"{line}\n" + ("" if "tolerance" in line else "tolerance = 0.1\n"))
    (tmp_path / "stars.toml").write_text(text)
    with pytest.raises(ValueError, match=sentence.replace("[", r"\[")):
        co.observables.survey("./stars.toml")


def test_halos_of_an_earlier_time_are_a_second_sample(run_file, tmp_path, capsys):
    earlier = '[earlier_halos]\nkind = "halos.complete_roots"\nredshift = 1.0\nn = 24\nlog_mvir = [10.5, 12.5]\n'
    (tmp_path / "run.toml").write_text(RUN + earlier)
    then = '[[test]]\ndata = "smf_weaver23_z1"\nredshift = 1.0\ntolerance = 0.2\n'
    (tmp_path / "stars.toml").write_text(SURVEY + then)
    out = tmp_path / "out"
    assert main(["calibrate", run_file, "-o", str(out)]) == 0
    saved = co.io.load_calibration(out / "calibration.json")
    row = next(row for row in saved.residuals if row["measurement"] == "smf_weaver23_z1")
    samples = [co.halos.complete_roots(z, 24, log_mvir=(10.5, 12.5)) for z in (0.0, 1.0)]
    survey = co.observables.survey(str(tmp_path / "stars.toml"))
    expected, _ = co.inference.predict_survey(co.models.MinimalRegulator(), samples, survey, saved.values)
    assert row["rms"] == pytest.approx(expected.rows[2].rms, rel=1e-3)  # to the tolerance of the solver
    assert saved.about["earlier_halos"] and "48 halos" in (out / "report.html").read_text()
