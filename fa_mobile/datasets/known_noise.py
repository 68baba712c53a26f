"""The noise of a frame by the profile of the sensor that took it."""

from __future__ import annotations

from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile


class ProfileNoise:
    """(a, b) by ISO speed from a profile, which is one sensor's: other cameras are refused."""

    def __init__(self, profile: SensorProfile | None) -> None:
        self.profile = profile
        self._camera: str | None = None

    @property
    def note(self) -> str:
        """For results: whose noise it is."""
        if self.profile is None:
            return "no profile was given"
        return f"noise by ISO from profile {self.profile.name} ({self.profile.provenance})"

    def at(self, camera: str, iso: float) -> NoiseParameters:
        """Noise of the 0..1 signal at ``iso`` (a(gain), b(gain), gain = ISO / base ISO).

        The first camera asked about is the profile's.

        Raises:
            UserError: without a profile, or for a second camera.
        """
        if self.profile is None:
            raise UserError(
                f"nothing says the noise of {camera} at ISO {iso:g}; give the profile of that "
                "sensor with --profile (a built-in name or a JSON file)"
            )
        if self._camera is None:
            self._camera = camera
        if camera != self._camera:
            raise UserError(
                f"taken by {camera}, and profile {self.profile.name} serves the frames of "
                f"{self._camera} before it; sensors are mixed here: evaluate each with its own "
                "--profile"
            )
        return self.profile.noise(iso / self.profile.base_iso)
