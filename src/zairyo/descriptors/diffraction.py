"""Diffraction: peaks with d and Scherrer size; crystallinity from crystalline and amorphous areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import asin, cos, degrees, radians, sin, tan
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Region, Term
from zairyo.descriptors._curve import Curve, curve, lower_hull, smooth_background
from zairyo.descriptors._numeric import Numbers, condition, first, need, times
from zairyo.descriptors._peak_fit import Doublet, Peak, fit_group, groups
from zairyo.measurement import Entry

_TECHNIQUES = ("xrd", "neutron_diffraction")
_LOW = Parameter("low", "Lower limit of 2θ; the beginning if none", "2θの下限（なければ始点）", unit="deg")
_HIGH = Parameter("high", "Upper limit of 2θ; the end if none", "2θの上限（なければ終点）", unit="deg")
_NO_INSTRUMENT = (
    "The instrument's broadening is not given (instrument_fwhm): the size is a lower limit, as if the "
    "instrument did not broaden."
)


def _pattern(entry: Entry, low: float | None, high: float | None) -> tuple[Curve, str]:
    axis = first(entry, "two_theta", "two_theta_chi")
    if not axis or axis not in {a.name for a in entry.axes}:
        have = ", ".join(a.name for a in entry.axes)
        raise CannotDescribe(f"entry {entry.name} is over {have}; a scan over 2θ is needed")
    return curve(entry, axis, "deg", low, high), axis


# --- peaks -----------------------------------------------------------------------------------------------------


def _peaks(entry: Entry, **told: Any) -> Iterator[Found]:
    """Find peaks above an arPLS background and fit pseudo-Voigt lines to them.

    A maximum counts if it stands out of the noise ``significance``-fold and reaches ``minimum_height`` of the
    highest. d = λ / (2 sin θ) (Bragg 1913); size = K λ / (β cos θ) (Scherrer 1918; K after Langford & Wilson,
    J. Appl. Cryst. 11 (1978) 102), β being the FWHM without the instrument's.
    """
    c, axis = _pattern(entry, told["low"], told["high"])
    above = c.y - smooth_background(c, told["background_window"])
    wavelength = told["wavelength"] or condition(entry, "wavelength", "angstrom")
    wavelength = wavelength or condition(entry, "wavelength_k_alpha", "angstrom")
    starts = _starts(c, above, told["significance"], told["minimum_height"] / 100, told["maximum_peaks"])
    # A hump that the background half follows has no width or area of its own.
    widest = told["background_window"] / 3
    wide = starts[1] > widest
    halos = list(starts[0][wide])
    starts = (starts[0][~wide], starts[1][~wide], starts[2][~wide])
    doublet = _doublet(entry, told, c, above, starts)
    fitted = _fitted(c, above, starts, doublet)
    peaks = [p for p in fitted if p.width <= widest]
    halos += [p.centre for p in fitted if p.width > widest]
    warnings = c.warnings
    if halos:
        places = ", ".join(f"{h:.4g}°" for h in sorted(halos))
        warnings += (f"Humps wider than a third of background_window are left out: near {places}.",)
    if not peaks:
        raise CannotDescribe("no line can be fitted to the maxima of this pattern; measure longer or finer")
    if wavelength is None:
        warnings += ("The wavelength is not stated: d and sizes are not given; give wavelength.",)
    settled = {
        "low": float(c.x[0]), "high": float(c.x[-1]), "wavelength": wavelength,
        "doublet": "yes" if doublet.weight else "no",
    }  # fmt: skip
    beta = _beta_lines(entry, peaks)
    for number, peak in enumerate(sorted(peaks, key=lambda p: p.centre), start=1):
        warnings_here = warnings + ((beta[peak.centre],) if peak.centre in beta else ())
        region = Region(axis, peak.centre - peak.width, peak.centre + peak.width, "deg")
        for found in _numbers(peak, c, wavelength, told):
            yield replace(
                found,
                item=f"peak_{number}",
                region=region,
                settled=settled,
                warnings=warnings_here + found.warnings,
            )


def _beta_lines(entry: Entry, peaks: list[Peak]) -> dict[float, str]:
    """Peaks where the Kβ line of a much stronger one is: its position → what to know."""
    alpha, beta = (condition(entry, name, "angstrom") for name in ("wavelength", "wavelength_k_beta"))
    if not alpha or not beta:
        return {}
    found = {}
    for strong in peaks:
        place = 2 * degrees(asin(min(1.0, beta / alpha * sin(radians(strong.centre / 2)))))
        for weak in peaks:
            if abs(weak.centre - place) < 0.5 * strong.width and weak.area < 0.2 * strong.area:
                found[weak.centre] = (
                    f"The peak at {weak.centre:.4g}° is where the Kβ line of the one at {strong.centre:.4g}° is; "
                    "its d and size are of Kα."
                )
    return found


def _starts(
    c: Curve, above: Numbers, significance: float, relative: float, most: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Positions, widths and heights of the maxima that count, ascending."""
    signal, ndimage = need("scipy.signal"), need("scipy.ndimage")
    light = ndimage.uniform_filter1d(above, 3)
    tallest = int(np.argmax(light))
    below = light < light[tallest] / 2
    left, right = np.flatnonzero(below[:tallest]), np.flatnonzero(below[tallest:])
    across = (tallest + right[0] if len(right) else len(light)) - (left[-1] if len(left) else -1) - 1
    blur = float(np.clip(across / 4, 0.8, 12))
    smooth = ndimage.gaussian_filter1d(above, blur)
    # White noise that is blurred with a Gaussian of b points keeps 1/√(2 √π b) of its standard deviation.
    threshold = np.maximum(
        significance * c.sigma / (2 * np.pi**0.5 * blur) ** 0.5, relative * float(smooth.max())
    )
    places, about = signal.find_peaks(smooth, prominence=threshold)
    if not len(places):
        raise CannotDescribe("no peak stands out of the noise; measure longer, or lower significance")
    kept = np.sort(places[np.argsort(-about["prominences"], kind="stable")[:most]])
    widths = signal.peak_widths(smooth, kept, rel_height=0.5)[0] * c.step
    widths = np.sqrt(np.maximum(widths**2 - (2.355 * blur * c.step) ** 2, (2 * c.step) ** 2))
    return c.x[kept], widths, np.maximum(smooth[kept], c.sigma[kept])


def _doublet(
    entry: Entry, told: dict[str, Any], c: Curve, above: Numbers, starts: tuple[Numbers, Numbers, Numbers]
) -> Doublet:
    """The Kα2 line, if the entry states one and (``auto``) the peaks that would show it do."""
    if told["doublet"] == "no":
        return Doublet()
    k1 = condition(entry, "wavelength", "angstrom")
    k2 = condition(entry, "wavelength_k_alpha_2", "angstrom")
    weight = condition(entry, "k_alpha_ratio", "")
    if not k1 or not k2 or weight == 0 or not 1 < k2 / k1 < 1.05:
        if told["doublet"] == "yes":
            raise CannotDescribe(
                "doublet=yes needs the wavelengths of Kα1 and Kα2, which the entry does not state"
            )
        return Doublet()
    double = Doublet(k2 / k1, 0.5 if weight is None else weight)
    if told["doublet"] == "yes":
        return double
    centres, widths, heights = _without_seconds(starts, double)
    # Only where the two lines are apart, and no neighbour is near, can a missing one be told from asymmetry.
    between = double.second(centres)[0] - centres
    gaps = np.diff(centres, prepend=-np.inf, append=np.inf)
    telling = (between > widths) & (np.minimum(gaps[:-1], gaps[1:]) > 2 * between)
    order = np.argsort(-heights * between / widths, kind="stable")
    order = np.sort(order[telling[order]][:5])
    if not len(order):
        return double
    centres, widths, heights = centres[order], widths[order], heights[order]
    chi_square = [
        sum(
            fit_group(c, above, centres[part], widths[part], heights[part], lines, double)[1]
            for part in groups(centres, widths, double)
        )
        for lines in (Doublet(), double)
    ]
    return double if chi_square[1] < chi_square[0] else Doublet()


def _without_seconds(
    starts: tuple[Numbers, Numbers, Numbers], doublet: Doublet
) -> tuple[Numbers, Numbers, Numbers]:
    """Without the maxima that are the resolved Kα2 lines of others."""
    centres, widths, heights = starts
    seconds = doublet.second(centres)[0]
    near = np.abs(centres[None, :] - seconds[:, None]) < 0.35 * widths[:, None]
    share = heights[None, :] / heights[:, None]
    resolved = (seconds - centres > 0.3 * widths)[:, None]
    is_second = (near & (share > 0.3) & (share < 0.8) & resolved).any(0)
    return centres[~is_second], widths[~is_second], heights[~is_second]


def _fitted(
    c: Curve, above: Numbers, starts: tuple[Numbers, Numbers, Numbers], doublet: Doublet
) -> list[Peak]:
    centres, widths, heights = _without_seconds(starts, doublet) if doublet.weight else starts
    found = []
    for part in groups(centres, widths, doublet):
        found += fit_group(c, above, centres[part], widths[part], heights[part], doublet)[0]
    return found


def _numbers(peak: Peak, c: Curve, wavelength: float | None, told: dict[str, Any]) -> Iterator[Found]:
    yield Found("peak_position", peak.centre, peak.centre_error)
    theta = radians(peak.centre / 2)
    if wavelength and 0 < theta < np.pi / 2:
        d = wavelength / (2 * sin(theta))
        error = peak.centre_error
        yield Found("d_spacing", d, None if error is None else d / tan(theta) * radians(error / 2))
    yield Found("peak_width", peak.width, peak.width_error)
    unit = times(c.unit, "deg")
    yield Found("peak_area", peak.area, peak.area_error, unit=unit)
    yield Found("peak_height", peak.height, unit=c.unit)
    if wavelength and 0 < theta < np.pi / 2:
        yield from _size(peak, theta, wavelength, told)


def _size(peak: Peak, theta: float, wavelength: float, told: dict[str, Any]) -> Iterator[Found]:
    """Size from the width, unless the instrument accounts for all of it."""
    own = told["instrument_fwhm"] or 0.0
    power = 2.0 if told["broadening"] == "gaussian" else 1.0
    error = peak.width_error
    if peak.width - own <= 2 * (error or 0.0):
        return
    rest = float((peak.width**power - own**power) ** (1 / power))
    size = told["scherrer_constant"] * wavelength / (radians(rest) * cos(theta)) / 10
    # dβ/dB = (B/β)^(p−1)
    spread = None if error is None else size * error / rest * (peak.width / rest) ** (power - 1)
    warnings = () if told["instrument_fwhm"] is not None else (_NO_INSTRUMENT,)
    yield Found("crystallite_size", size, spread, warnings=warnings)


# --- crystallinity ---------------------------------------------------------------------------------------------


def _crystallinity(entry: Entry, **told: Any) -> Iterator[Found]:
    """Areas of sharp peaks and of halos, after Hermans & Weidinger (1948): Xc = A(crystalline) / A(all).

    The amorphous part is what the smooth background (arPLS) has above its own lower convex hull, which stands for
    air scatter and the empty instrument: both fall and flatten with 2θ. Its uncertainty is the spread over
    windows from 0.7 to 1.4 times the one given, which decide what counts as sharp.
    """
    c, axis = _pattern(entry, told["low"], told["high"])
    if c.x[-1] - c.x[0] < 2 * told["background_window"]:
        raise CannotDescribe(
            f"the scan is {c.x[-1] - c.x[0]:.3g}° long; crystallinity needs at least twice the background's window"
        )
    shares, areas = zip(
        *(_share(c, told["background_window"] * factor) for factor in (1.0, 0.7, 1.4)), strict=True
    )
    crystalline, amorphous = areas[0]
    if crystalline + amorphous <= 5 * float(np.sqrt((c.sigma**2).sum())) * c.step:
        raise CannotDescribe("neither peaks nor halos stand out of the noise")
    spread = float(np.sqrt(np.mean((np.array(shares[1:]) - shares[0]) ** 2)))
    unit = times(c.unit, "deg")
    rest: dict[str, Any] = {
        "region": Region(axis, float(c.x[0]), float(c.x[-1]), "deg"),
        "settled": {"low": float(c.x[0]), "high": float(c.x[-1])},
        "warnings": c.warnings,
    }
    yield Found("crystallinity", 100 * shares[0], 100 * spread, **rest)
    yield Found("crystalline_area", crystalline, unit=unit, **rest)
    yield Found("amorphous_area", amorphous, unit=unit, **rest)


def _share(c: Curve, window: float) -> tuple[float, tuple[float, float]]:
    """Crystalline share, and the two areas."""
    smooth = smooth_background(c, window)
    crystalline = max(0.0, float(np.trapezoid(c.y - smooth, c.x)))
    amorphous = float(np.trapezoid(smooth - lower_hull(c.x, smooth), c.x))
    total = crystalline + amorphous
    return (crystalline / total if total > 0 else 0.0), (crystalline, amorphous)


_WINDOW = Parameter(
    "background_window",
    "What is narrower than this is a peak",
    "これより狭いものをピークとする幅",
    8.0,
    "deg",
)

_PEAKS_TOLD = (
    Parameter(
        "significance", "Least height, of the noise's standard deviation", "有意な高さ（雑音比）", 6.0, ""
    ),
    Parameter("minimum_height", "Least height, of the highest peak", "最小高さ（最強比）", 1.0, "percent"),
    Parameter("maximum_peaks", "Most peaks; the highest are kept", "最大ピーク数", 60, kind="whole"),
    Parameter(
        "wavelength", "Wavelength; the stated Kα1 if none", "波長（なければ記載のKα1）", unit="angstrom"
    ),
    Parameter(
        "doublet",
        "Whether peaks have a Kα2 line; auto: if one is stated, and seen where it would be resolved",
        "Kα2線を含めるか",
        "auto",
        kind="choice",
        choices=("auto", "yes", "no"),
    ),
    Parameter("instrument_fwhm", "The instrument's own width there", "装置による半値幅", unit="deg"),
    Parameter(
        "broadening",
        "How the widths add: squares (gaussian) or themselves (lorentzian)",
        "幅の合成則",
        "gaussian",
        kind="choice",
        choices=("gaussian", "lorentzian"),
    ),
    Parameter("scherrer_constant", "Scherrer's constant K", "シェラー定数 K", 0.9, ""),
)

METHODS = (
    Method(
        "diffraction_peaks",
        "1",
        _TECHNIQUES,
        (
            Term("peak_position", "deg", "Peak position 2θ (of Kα1)", "ピーク位置 2θ（Kα1）"),
            Term("d_spacing", "angstrom", "Lattice spacing d", "面間隔 d"),
            Term("peak_width", "deg", "Full width at half maximum", "半値全幅"),
            Term("peak_area", None, "Peak area (Kα1 and Kα2)", "ピーク面積（Kα1とKα2）"),
            Term("peak_height", None, "Peak height (Kα1)", "ピーク高さ（Kα1）"),
            Term("crystallite_size", "nm", "Scherrer size", "シェラー径（結晶子サイズ）"),
        ),
        (
            _LOW,
            _HIGH,
            _WINDOW,
            *_PEAKS_TOLD,
        ),
        _peaks,
        "Diffraction peaks",
        "回折ピーク",
        "Bragg 1913; Scherrer 1918; Langford & Wilson 1978; background arPLS, Baek et al. 2015",
    ),
    Method(
        "diffraction_crystallinity",
        "1",
        _TECHNIQUES,
        (
            Term("crystallinity", "percent", "Crystallinity, from areas", "結晶化度（面積比）"),
            Term("crystalline_area", None, "Area of sharp peaks", "結晶質ピークの面積"),
            Term("amorphous_area", None, "Area of halos", "非晶質ハローの面積"),
        ),
        (_LOW, _HIGH, _WINDOW),
        _crystallinity,
        "Crystallinity",
        "結晶化度",
        "Hermans & Weidinger 1948; background arPLS, Baek et al. 2015",
    ),
)
