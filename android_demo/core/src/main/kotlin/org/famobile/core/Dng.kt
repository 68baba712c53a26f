package org.famobile.core

import java.nio.ByteBuffer

/**
 * A DNG with an uncompressed 16-bit Bayer mosaic, as cameras on Android and `fa-mobile` write it.
 *
 * @throws UserMessage for anything else, saying what it is.
 */
class Dng(private val bytes: ByteArray) {
    private val tiff = Tiff(bytes)
    private val directories = tiff.directories()
    private val page = directories.find { it[PHOTOMETRIC]?.ints() == listOf(CFA_MOSAIC) }
        ?: throw UserMessage("the DNG holds no mosaic (is it processed?); choose a RAW capture of a Bayer sensor")
    private val fullWidth = one(WIDTH)
    private val fullHeight = one(HEIGHT)
    private val area = (page[ACTIVE_AREA]?.ints() ?: listOf(0, 0, fullHeight, fullWidth)).let {
        if (it.size != 4) throw Tiff.damaged("an ActiveArea of ${it.size} numbers")
        val (top, left, bottom, right) = it
        if (top >= bottom || left >= right || bottom > fullHeight || right > fullWidth) {
            throw Tiff.damaged("an ActiveArea outside its $fullHeight x $fullWidth samples")
        }
        Rectangle(top, bottom, left, right)
    }
    private val blocks: List<Block>

    /** A strip or tile: its samples' place in the file and in the mosaic. */
    private class Block(val offset: Int, val top: Int, val left: Int, val height: Int, val width: Int)

    init {
        refuse(one(COMPRESSION, 1) != 1) { "is compressed (kind ${one(COMPRESSION)})" to "uncompressed ones" }
        refuse(one(BITS) != 16 || one(SAMPLES, 1) != 1) {
            "has ${page[BITS]?.ints()} bits a sample" to "one sample of 16 bits"
        }
        refuse(page[CFA_DIM]?.ints()?.let { it != listOf(2, 2) } ?: true) {
            "has a colour filter of ${page[CFA_DIM]?.ints()?.joinToString(" x ")}" to "2 x 2 Bayer patterns"
        }
        refuse(LINEARIZATION in page) { "needs a linearization table" to "linear ones" }
        refuse(fullWidth.toLong() * fullHeight > MAX_SAMPLES) {
            "has $fullHeight x $fullWidth samples" to "up to ${MAX_SAMPLES / 1_000_000} MP"
        }
        blocks = if (TILE_OFFSETS in page) tiles() else strips()
        for (block in blocks) {
            val end = block.offset + 2L * block.height * block.width
            if (end > bytes.size) throw Tiff.damaged("samples beyond its end")
        }
    }

    /** The exposure inside the ActiveArea. */
    fun capture(): Capture {
        val cfa = Cfa.ofDng(page[CFA_PATTERN]?.ints() ?: throw Tiff.damaged("no CFAPattern"))
        val samples = ShortArray(area.height * area.width)
        each { row, col, place -> samples[row * area.width + col] = place.getShort() }
        return Capture(
            Mosaic(area.height, area.width, cfa, samples), levels(cfa), iso(),
            Capture.greenNoise(found(NOISE_PROFILE)?.numbers(), cfa),
            found(NEUTRAL)?.numbers()?.takeIf { it.size == 3 && it.all { part -> part > 0 } },
        )
    }

    /**
     * This file with the samples of [mosaic] in place of its own. Its NoiseProfile is zeroed, since it
     * does not describe them: converters take none from zeros.
     */
    fun withSamples(mosaic: Mosaic): ByteArray {
        require(mosaic.height == area.height && mosaic.width == area.width) { "another size" }
        val out = bytes.copyOf()
        val data = ByteBuffer.wrap(out).order(tiff.order)
        each(data) { row, col, place -> place.putShort(mosaic[row, col].toShort()) }
        return out.also(::dropNoiseProfile)
    }

    /** Visit the samples of the area, the buffer at each one's place. */
    private fun each(
        data: ByteBuffer = ByteBuffer.wrap(bytes).order(tiff.order), visit: (Int, Int, ByteBuffer) -> Unit,
    ) {
        for (block in blocks) for (row in 0 until block.height) {
            val y = block.top + row - area.top
            if (y !in 0 until area.height) continue
            for (col in 0 until block.width) {
                val x = block.left + col - area.left
                if (x !in 0 until area.width) continue
                data.position(block.offset + 2 * (row * block.width + col))
                visit(y, x, data)
            }
        }
    }

    private fun strips(): List<Block> {
        val rows = minOf(one(ROWS_PER_STRIP, fullHeight), fullHeight).coerceAtLeast(1)
        val offsets = page[STRIP_OFFSETS]?.ints() ?: throw Tiff.damaged("no samples")
        if (offsets.size != (fullHeight + rows - 1) / rows) {
            throw Tiff.damaged("${offsets.size} strips for $fullHeight rows")
        }
        return offsets.mapIndexed { index, offset ->
            Block(offset, index * rows, 0, minOf(rows, fullHeight - index * rows), fullWidth)
        }
    }

    private fun tiles(): List<Block> {
        val (width, height) = one(TILE_WIDTH) to one(TILE_HEIGHT)
        if (width < 1 || height < 1) throw Tiff.damaged("empty tiles")
        val across = (fullWidth + width - 1) / width
        val offsets = page.getValue(TILE_OFFSETS).ints()
        if (offsets.size != across * ((fullHeight + height - 1) / height)) throw Tiff.damaged("${offsets.size} tiles")
        return offsets.mapIndexed { index, offset ->
            Block(offset, index / across * height, index % across * width, height, width)
        }
    }

    /** Black repeats from the origin of the ActiveArea, and is given here by colour. */
    private fun levels(cfa: Cfa): Levels {
        val values = page[BLACK]?.numbers() ?: listOf(0.0)
        val (rows, cols) = page[BLACK_DIM]?.ints()?.takeIf { it.size == 2 } ?: listOf(1, 1)
        refuse(rows !in 1..2 || cols !in 1..2 || values.size != rows * cols) {
            "has a black level of $rows x $cols" to "up to 2 x 2"
        }
        val black = MutableList(4) { 0.0 }
        for (cell in 0..3) {
            black[cfa.plane(cell / 2, cell % 2)] = values[cell / 2 % rows * cols + cell % 2 % cols]
        }
        return Levels(black, page[WHITE]?.numbers()?.firstOrNull() ?: 65535.0)
    }

    private fun iso(): Int? = found(ISO)?.ints()?.firstOrNull()?.takeIf { it > 0 }

    private fun found(tag: Int): Tiff.Entry? = page[tag] ?: directories.firstNotNullOfOrNull { it[tag] }

    private fun one(tag: Int, otherwise: Int? = null): Int =
        page[tag]?.ints()?.firstOrNull() ?: otherwise ?: throw Tiff.damaged("no tag $tag")

    private inline fun refuse(wrong: Boolean, what: () -> Pair<String, String>) {
        if (!wrong) return
        val (given, allowed) = what()
        throw UserMessage("the DNG $given; allowed are $allowed: convert it, or choose another capture")
    }

    companion object {
        /** Zero the NoiseProfile of a DNG in place: it tells of the samples that it had before. */
        fun dropNoiseProfile(bytes: ByteArray) {
            for (directory in Tiff(bytes).directories()) {
                directory[NOISE_PROFILE]?.let { bytes.fill(0, it.offset, it.offset + it.length) }
            }
        }

        private const val WIDTH = 256
        private const val HEIGHT = 257
        private const val BITS = 258
        private const val COMPRESSION = 259
        private const val PHOTOMETRIC = 262
        private const val STRIP_OFFSETS = 273
        private const val SAMPLES = 277
        private const val ROWS_PER_STRIP = 278
        private const val TILE_WIDTH = 322
        private const val TILE_HEIGHT = 323
        private const val TILE_OFFSETS = 324
        private const val CFA_DIM = 33421
        private const val CFA_PATTERN = 33422
        private const val ISO = 34855
        private const val LINEARIZATION = 50712
        private const val BLACK_DIM = 50713
        private const val BLACK = 50714
        private const val WHITE = 50717
        private const val NEUTRAL = 50728
        private const val ACTIVE_AREA = 50829
        private const val NOISE_PROFILE = 51041
        private const val CFA_MOSAIC = 32803
        private const val MAX_SAMPLES = 250_000_000L
    }
}
