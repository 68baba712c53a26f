package org.famobile.core

/** The noise of a normalised signal x, 0..1: variance a x + b. */
data class Noise(val a: Double, val b: Double)

/** What a bundle's manifest says of its sensor. Levels are DN in R, Gr, Gb, B order. */
class SensorProfile private constructor(
    val name: String,
    val cfa: Cfa,
    val blackLevel: List<Double>,
    val whiteLevel: Double,
    val baseIso: Double,
    val gainRange: List<Double>,
    private val aLinear: List<Double>,
    private val bQuadratic: List<Double>,
    val provenance: String,
    val asShotNeutral: List<Double>,
) {
    /** white - black, R, Gr, Gb, B. */
    val span: List<Double> = blackLevel.map { whiteLevel - it }

    /** (a, b) at [gain] in double precision. */
    fun noise(gain: Double): Noise {
        val (a1, a0) = aLinear
        val (b2, b1, b0) = bQuadratic
        return Noise(a1 * gain + a0, (b2 * gain + b1) * gain + b0)
    }

    /** a([gain]) in the very float32 steps of the exported graph; the selection depends on it. */
    fun aFloat32(gain: Float): Float {
        val scaled = aLinear[0].toFloat() * gain // rounded to float32 before the addition
        return scaled + aLinear[1].toFloat()
    }

    /** The gain of a capture at [iso]. */
    fun gainOfIso(iso: Int?): Double {
        if (iso == null || iso <= 0) {
            throw UserMessage(
                "the capture does not say its sensitivity (given: $iso); allowed is an ISO above 0, " +
                    "which over $name's ISO ${baseIso.toInt()} is the gain: enter the gain",
            )
        }
        return iso / baseIso
    }

    companion object {
        fun of(f: Fields): SensorProfile {
            f.only(
                "schema_version", "name", "make", "model", "cfa", "bit_depth", "black_level", "white_level",
                "base_iso", "gain_range", "a_linear", "b_quadratic", "log_line", "provenance", "source",
                "color_matrix", "as_shot_neutral",
            )
            if (f.int("schema_version") != 1) throw f.wrong("schema_version", "must be 1")
            val profile = SensorProfile(
                name = f.string("name"),
                cfa = Cfa.named(f.string("cfa")),
                blackLevel = f.numbers("black_level", 4),
                whiteLevel = f.number("white_level"),
                baseIso = f.number("base_iso"),
                gainRange = f.numbers("gain_range", 2),
                aLinear = f.numbers("a_linear", 2),
                bQuadratic = f.numbers("b_quadratic", 3),
                provenance = f.string("provenance"),
                asShotNeutral = f.numbers("as_shot_neutral", 3),
            )
            if (profile.blackLevel.any { it < 0 || it >= profile.whiteLevel } || profile.whiteLevel > 65535) {
                throw f.wrong("black_level", "must be from 0 to below white_level, and that at most 65535")
            }
            if (!(profile.baseIso > 0)) throw f.wrong("base_iso", "must be above 0")
            if (!(0 < profile.gainRange[0] && profile.gainRange[0] < profile.gainRange[1])) {
                throw f.wrong("gain_range", "must rise from above 0")
            }
            if (profile.asShotNeutral.any { !(it > 0) }) throw f.wrong("as_shot_neutral", "must be above 0")
            return profile
        }
    }
}
