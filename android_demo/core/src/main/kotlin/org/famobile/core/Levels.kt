package org.famobile.core

/** Float DN as a file holds it: clipped to 0..[white], halves rounded to even. */
fun wholeDn(value: Float, white: Double): Int =
    Math.rint(value.toDouble().coerceIn(0.0, white)).toInt()

/** Black level of each colour (R, Gr, Gb, B) and the common white level, in DN. */
data class Levels(val black: List<Double>, val white: Double) {
    init {
        if (black.size != 4 || black.any { it < 0 || it >= white } || white > 65535) {
            throw UserMessage(
                "black level $black and white level $white were given; allowed are four levels from 0 " +
                    "to below white, and white up to 65535: the camera's levels cannot be used",
            )
        }
    }

    /** [dn] of colour [plane] in the levels of [other], keeping the normalised signal. */
    fun convert(dn: Float, plane: Int, other: Levels): Float {
        val from = black[plane].toFloat()
        val to = other.black[plane].toFloat()
        val signal = minOf((dn - from) / (white - from).toFloat(), 1f)
        return signal * (other.white - to).toFloat() + to
    }
}
