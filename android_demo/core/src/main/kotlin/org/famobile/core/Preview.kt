package org.famobile.core

import kotlin.math.pow

/**
 * A picture to look at: bilinear interpolation of the mosaic, white balance by [neutral] (camera RGB
 * of a neutral, green = 1), exposure, and sRGB's tone curve. No colour matrix: it shows noise, not
 * colour as a RAW converter would.
 */
class Preview(private val levels: Levels, neutral: List<Double>, exposure: Double = 1.0) {
    private val scale = FloatArray(3) { (exposure / neutral[it]).toFloat() }

    /** ARGB pixels of [area] (sides even, inside the mosaic), one per [step] samples; step 1 or even. */
    fun render(mosaic: Mosaic, area: Rectangle, step: Int): IntArray {
        require(step == 1 || step % 2 == 0) { "step=$step: allowed are 1 and even numbers" }
        val (height, width) = area.height / step to area.width / step
        val rgb = FloatArray(3)
        return IntArray(height * width) { index ->
            val row = area.top + index / width * step
            val col = area.left + index % width * step
            if (step == 1) interpolate(mosaic, row, col, rgb) else cell(mosaic, row, col, rgb)
            0xFF shl 24 or (tone(rgb, 0) shl 16) or (tone(rgb, 1) shl 8) or tone(rgb, 2)
        }
    }

    /** The mean of each colour over the 3 x 3 neighbourhood, its own sample for the site's colour. */
    private fun interpolate(mosaic: Mosaic, row: Int, col: Int, rgb: FloatArray) {
        val own = COLOUR[mosaic.cfa.plane(row, col)]
        val sums = FloatArray(3)
        val weights = FloatArray(3)
        for (y in row - 1..row + 1) {
            for (x in col - 1..col + 1) {
                val place = inside(y, mosaic.height) to inside(x, mosaic.width)
                val plane = mosaic.cfa.plane(place.first, place.second)
                val colour = COLOUR[plane]
                val here = y == row && x == col
                if (colour == own && !here) continue
                val weight = if (here || (y == row) != (x == col)) 1f else if (colour == GREEN) 0f else 1f
                sums[colour] += weight * signal(mosaic[place.first, place.second], plane)
                weights[colour] += weight
            }
        }
        for (colour in 0..2) rgb[colour] = sums[colour] / maxOf(weights[colour], 1f)
    }

    /** The mean of each colour in the 2 x 2 cell at ([row], [col]). */
    private fun cell(mosaic: Mosaic, row: Int, col: Int, rgb: FloatArray) {
        rgb.fill(0f)
        for (y in row..minOf(row + 1, mosaic.height - 1)) {
            for (x in col..minOf(col + 1, mosaic.width - 1)) {
                val plane = mosaic.cfa.plane(y, x)
                val colour = COLOUR[plane]
                rgb[colour] += signal(mosaic[y, x], plane) / if (colour == GREEN) 2 else 1
            }
        }
    }

    /** Index beyond the border, mirrored without repeating the edge: the colour stays. */
    private fun inside(at: Int, side: Int) = if (at < 0) -at else if (at >= side) 2 * side - 2 - at else at

    private fun signal(dn: Int, plane: Int): Float =
        ((dn - levels.black[plane]) / (levels.white - levels.black[plane])).toFloat()

    private fun tone(rgb: FloatArray, colour: Int): Int =
        TONE[(rgb[colour] * scale[colour] * (TONE.size - 1)).coerceIn(0f, TONE.size - 1f).toInt()]

    companion object {
        private const val GREEN = 1
        private val COLOUR = intArrayOf(0, 1, 1, 2)

        /** The exposure at which [mosaic] is middle gray on average, never darker than it is. */
        fun exposure(mosaic: Mosaic, levels: Levels): Double {
            var sum = 0.0
            var count = 0
            for (row in 0 until mosaic.height step SPARSE) for (col in 0 until mosaic.width step SPARSE) {
                val black = levels.black[mosaic.cfa.plane(row, col)]
                sum += (mosaic[row, col] - black) / (levels.white - black)
                count++
            }
            return (MIDDLE_GRAY / maxOf(sum / count, 1e-4)).coerceIn(1.0, 16.0)
        }

        private const val MIDDLE_GRAY = 0.18

        /** Odd, so that every colour is met. */
        private const val SPARSE = 17

        /** sRGB's curve from IEC 61966-2-1, tabulated finely enough for its steep start. */
        private val TONE = IntArray(1 shl 14) {
            val linear = it / ((1 shl 14) - 1.0)
            val curved = if (linear <= 0.0031308) 12.92 * linear else 1.055 * linear.pow(1 / 2.4) - 0.055
            Math.round(curved * 255).toInt()
        }
    }
}
