package org.famobile.core

/** One RAW exposure and what its source says of it. What it does not say is null. */
class Capture(
    val mosaic: Mosaic,
    val levels: Levels,
    val iso: Int?,
    /** Of the normalised signal, one pair for all colours, as Python reads it: green's. */
    val noise: Noise?,
    /** Camera RGB of a neutral in this light, green = 1. */
    val neutral: List<Double>?,
) {
    companion object {
        /**
         * The pair of green from a NoiseProfile (S and O for each plane of R, G, B, or of the four
         * positions of [cfa]); null where it describes no noise.
         */
        fun greenNoise(profile: List<Double>?, cfa: Cfa): Noise? {
            val plane = when (profile?.size) {
                2 -> 0
                6 -> 1
                8 -> (0..3).first { cfa.plane(it / 2, it % 2) == 1 }
                else -> return null
            }
            val noise = Noise(profile[2 * plane], profile[2 * plane + 1])
            return noise.takeIf { it.a.isFinite() && it.b.isFinite() && it.a > 0 && it.b >= 0 }
        }
    }
}
