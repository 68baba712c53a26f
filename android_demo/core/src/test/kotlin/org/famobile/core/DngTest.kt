package org.famobile.core

import org.junit.Assume.assumeNotNull
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull

/** DNGs, whole ones and those of strangers. */
class DngTest {
    private val height = 6
    private val width = 10
    private val samples = ShortArray(height * width) { (it * 17).toShort() }

    /** A TIFF of one directory: tag to (type, values); the samples in strips of four rows. */
    private fun file(vararg changes: Pair<Int, Pair<Int, List<Number>>?>): ByteArray {
        val strip = 8
        val tags = sortedMapOf<Int, Pair<Int, List<Number>>>(
            256 to (4 to listOf(width)), 257 to (4 to listOf(height)), 258 to (3 to listOf(16)),
            259 to (3 to listOf(1)), 262 to (3 to listOf(32803)), 273 to (4 to listOf(strip, strip + 2 * 4 * width)),
            278 to (4 to listOf(4)), 33421 to (3 to listOf(2, 2)), 33422 to (1 to listOf(2, 1, 1, 0)),
            34855 to (3 to listOf(800)), 50713 to (3 to listOf(2, 2)), 50714 to (4 to listOf(60, 61, 62, 63)),
            50717 to (4 to listOf(1023)), 51041 to (12 to listOf(1.0, 2.0, 3e-4, 4e-6, 5.0, 6.0)),
        )
        for ((tag, value) in changes) if (value == null) tags.remove(tag) else tags[tag] = value
        val head = ByteBuffer.allocate(8 + 2 * samples.size).order(ByteOrder.LITTLE_ENDIAN)
        head.putShort(0x4949).putShort(42).putInt(8 + 2 * samples.size)
        samples.forEach { head.putShort(it) }
        val directory = 8 + 2 * samples.size
        val body = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN).putShort(tags.size.toShort())
        var extra = 2 + 12 * tags.size + 4
        for ((tag, value) in tags) {
            val (type, numbers) = value
            val one = mapOf(1 to 1, 3 to 2, 4 to 4, 12 to 8).getValue(type)
            body.putShort(tag.toShort()).putShort(type.toShort()).putInt(numbers.size)
            val end = body.position() + 4
            if (one * numbers.size > 4) {
                body.putInt(directory + extra)
                body.position(extra)
                extra += one * numbers.size
            }
            for (number in numbers) when (type) {
                1 -> body.put(number.toByte())
                3 -> body.putShort(number.toShort())
                4 -> body.putInt(number.toInt())
                else -> body.putDouble(number.toDouble())
            }
            body.position(end)
        }
        return ByteArrayOutputStream().apply { write(head.array()); write(body.array(), 0, extra) }.toByteArray()
    }

    @Test
    fun aCaptureIsReadAndItsSamplesReplaced() {
        val dng = Dng(file())
        val capture = dng.capture()
        assertContentEquals(samples, capture.mosaic.samples)
        assertEquals(Cfa.BGGR, capture.mosaic.cfa)
        assertEquals(listOf(63.0, 62.0, 61.0, 60.0), capture.levels.black) // R, Gr, Gb, B of a BGGR cell
        assertEquals(1023.0, capture.levels.white)
        assertEquals(800, capture.iso)
        assertEquals(Noise(3e-4, 4e-6), capture.noise)
        val other = Mosaic(height, width, Cfa.BGGR, ShortArray(samples.size) { (it + 1).toShort() })
        val again = Dng(dng.withSamples(other)).capture()
        assertContentEquals(other.samples, again.mosaic.samples)
        assertNull(again.noise)
    }

    @Test
    fun theActiveAreaDecides() {
        val capture = Dng(file(50829 to (4 to listOf(1, 2, 6, 9)))).capture()
        assertEquals(5 to 7, capture.mosaic.height to capture.mosaic.width)
        assertEquals(samples[12].toInt(), capture.mosaic[0, 0])
    }

    @Test
    fun othersAreRefusedWithTheReason() {
        refuses(file(259 to (3 to listOf(7))), "compressed")
        refuses(file(258 to (3 to listOf(12))), "bits")
        refuses(file(33421 to (3 to listOf(6, 6))), "6 x 6")
        refuses(file(33422 to (1 to listOf(0, 0, 1, 2))), "CFAPattern")
        refuses(file(262 to (3 to listOf(34892))), "no mosaic")
        refuses(file(50712 to (3 to listOf(1, 2))), "linearization")
        refuses(file(273 to (4 to listOf(8, 999_999))), "beyond its end")
        refuses(file(273 to (4 to listOf(8))), "strips")
        refuses(file(256 to (4 to listOf(2_000_000)), 257 to (4 to listOf(2_000_000))), "MP")
        refuses(file(50829 to (4 to listOf(0, 0, 7, 10))), "ActiveArea")
        refuses(file(50717 to (4 to listOf(10))), "levels")
        refuses("no picture at all".toByteArray(), "no DNG")
        refuses(ByteArray(3), "no DNG")
    }

    @Test
    fun noCutAndNoFlippedByteCrashes() {
        val whole = file()
        for (size in whole.indices step 3) survives(whole.copyOf(size))
        for (at in whole.indices) for (value in listOf(0, 1, 0x7F, 0xFF)) {
            survives(whole.copyOf().also { it[at] = value.toByte() })
        }
    }

    private fun survives(bytes: ByteArray) {
        try {
            Dng(bytes).capture()
        } catch (_: UserMessage) {
            // refused with a message, which is all that is asked for
        }
    }

    @Test
    fun aCaptureOfPythonsIsReadTheSame() {
        val folder = System.getProperty("fa.exchange")
        assumeNotNull(folder)
        val dng = Dng(File(folder, "capture.dng").readBytes())
        val capture = dng.capture()
        val expected = Fields.of(JsonReader.parse(File(folder, "capture.json").readText()))
        val samples = List(capture.mosaic.height) { row -> List(capture.mosaic.width) { capture.mosaic[row, it] } }
        assertEquals(expected.rows("mosaic"), samples)
        assertEquals(expected.string("cfa"), capture.mosaic.cfa.name)
        assertEquals(expected.numbers("black_level"), capture.levels.black)
        assertEquals(expected.number("white_level"), capture.levels.white)
        assertEquals(expected.int("iso"), capture.iso)
        assertEquals(expected.numbers("noise"), capture.noise?.let { listOf(it.a, it.b) })
        val brighter = ShortArray(capture.mosaic.samples.size) { (capture.mosaic.samples[it] + 1).toShort() }
        val mosaic = Mosaic(capture.mosaic.height, capture.mosaic.width, capture.mosaic.cfa, brighter)
        File(folder, "brighter.dng").writeBytes(dng.withSamples(mosaic))
    }

    private fun refuses(bytes: ByteArray, part: String) =
        assertContains(assertFailsWith<UserMessage> { Dng(bytes).capture() }.message.orEmpty(), part)
}
