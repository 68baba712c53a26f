package org.famobile.core

/**
 * A mosaic of unsigned 16-bit DN, row by row, and its pattern. A camera's rows may be longer than
 * its pixels: [rowStride] counts samples.
 */
class Mosaic(
    val height: Int,
    val width: Int,
    val cfa: Cfa,
    val samples: ShortArray,
    val rowStride: Int = width,
) {
    init {
        if (height < 2 || width < 2) {
            throw UserMessage("a mosaic of $height x $width was given; allowed are sides from 2 samples")
        }
        if (rowStride < width || samples.size.toLong() < (height - 1L) * rowStride + width) {
            throw UserMessage("${samples.size} samples were given for a mosaic of $height x $width; take it again")
        }
    }

    operator fun get(row: Int, col: Int): Int = samples[row * rowStride + col].toInt() and 0xFFFF
}
