"""Release, engine, components and broker."""

from __future__ import annotations

from oz_installer.tui.widgets.form import Form
from tests.tui.support import app_of, press, step_of, text_of, wizard


async def test_the_releases_are_the_catalogue_s() -> None:
    async with wizard(step="release") as pilot:
        assert "(•) Oz API 5.2" in text_of(pilot)


async def test_a_release_that_is_not_in_the_catalogue_is_told() -> None:
    async with wizard(step="release") as pilot:
        app_of(pilot).change("release", "9.9")
        await press(pilot, "tab")
        assert "( ) Oz API 5.2" in text_of(pilot)


async def test_what_redis_does_not_use_is_greyed_out_until_rabbitmq_is_chosen() -> None:
    async with wizard(step="release") as pilot:
        form = next(form for form in step_of(pilot).query(Form) if "broker.user" in form.keys)
        assert form.field("broker.user").disabled
        form.take_focus("broker.type")
        await press(pilot, "right")
        assert not form.field("broker.user").disabled
        assert app_of(pilot).session.working.get("broker.type") == "rabbitmq"
