package org.famobile.core

/** z = x scale + offset takes a signal with some noise to the domain of the anchor's noise. */
data class KSigma(val scale: Double, val offset: Double) {
    fun forward(x: Double): Double = x * scale + offset

    fun inverse(z: Double): Double = (z - offset) / scale

    companion object {
        fun between(noise: Noise, anchor: Noise): KSigma {
            val scale = anchor.a / noise.a
            return KSigma(scale, scale * (noise.b / noise.a) - anchor.b / anchor.a)
        }
    }
}
