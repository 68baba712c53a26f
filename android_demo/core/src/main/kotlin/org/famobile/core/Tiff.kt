package org.famobile.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The directories of a TIFF file (DNG is one), read with every offset checked: it comes from outside. */
class Tiff(bytes: ByteArray) {
    private val data = ByteBuffer.wrap(bytes)

    init {
        if (bytes.size < 8) throw notTiff()
        data.order(
            when (data.getShort(0).toInt()) {
                0x4949 -> ByteOrder.LITTLE_ENDIAN
                0x4D4D -> ByteOrder.BIG_ENDIAN
                else -> throw notTiff()
            },
        )
        if (data.getShort(2).toInt() != 42) throw notTiff()
    }

    val order: ByteOrder get() = data.order()

    /** The values of one tag, and where they stand. */
    inner class Entry(val type: Int, val count: Int, val offset: Int) {
        /** In bytes. */
        val length get() = count * size(type)

        /** As doubles, whatever the numeric type. */
        fun numbers(): List<Double> = List(count) { number(offset + it * size(type)) }

        fun ints(): List<Int> = numbers().map {
            if (it < 0 || it > Int.MAX_VALUE || it != Math.rint(it)) throw damaged("$it where a whole number belongs")
            it.toInt()
        }

        private fun number(at: Int): Double = when (type) {
            1, 7 -> (data.get(at).toInt() and 0xFF).toDouble()
            3 -> (data.getShort(at).toInt() and 0xFFFF).toDouble()
            4, 13 -> (data.getInt(at).toLong() and 0xFFFFFFFFL).toDouble()
            5 -> (data.getInt(at).toLong() and 0xFFFFFFFFL).toDouble() / (data.getInt(at + 4).toLong() and 0xFFFFFFFFL)
            10 -> data.getInt(at).toDouble() / data.getInt(at + 4)
            11 -> data.getFloat(at).toDouble()
            12 -> data.getDouble(at)
            else -> throw damaged("a tag of type $type where numbers are expected")
        }
    }

    /** The first directory and those below it (SubIFDs, EXIF), in the file's order. */
    fun directories(): List<Map<Int, Entry>> {
        val found = ArrayList<Map<Int, Entry>>()
        val waiting = ArrayDeque(listOf(int(4)))
        while (waiting.isNotEmpty()) {
            if (found.size == MAX_DIRECTORIES) throw damaged("more than $MAX_DIRECTORIES directories")
            val directory = directory(waiting.removeFirst())
            found += directory
            for (tag in listOf(SUB_IFDS, EXIF)) directory[tag]?.let { waiting.addAll(it.ints()) }
        }
        return found
    }

    private fun directory(at: Int): Map<Int, Entry> {
        val count = short(at)
        return (0 until count).associate { index ->
            val place = at + 2 + 12 * index
            val type = short(place + 2)
            val number = int(place + 4)
            if (number > data.capacity()) throw damaged("a tag of $number values")
            val length = number.toLong() * size(type)
            val offset = if (length <= 4) place + 8 else int(place + 8)
            if (offset + length > data.capacity()) throw damaged("values beyond the end of the file")
            short(place) to Entry(type, number, offset)
        }
    }

    private fun short(at: Int): Int {
        if (at < 0 || at + 2 > data.capacity()) throw damaged("an offset beyond its end")
        return data.getShort(at).toInt() and 0xFFFF
    }

    private fun int(at: Int): Int {
        if (at < 0 || at + 4 > data.capacity()) throw damaged("an offset beyond its end")
        val value = data.getInt(at)
        if (value < 0) throw damaged("an offset beyond 2 GiB")
        return value
    }

    companion object {
        const val SUB_IFDS = 330
        const val EXIF = 34665
        private const val MAX_DIRECTORIES = 16
        private val SIZES = intArrayOf(0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)

        private fun size(type: Int): Int = SIZES.getOrElse(type) { 1 }

        private fun notTiff() = UserMessage("the file is no DNG (no TIFF header); choose a .dng file")

        internal fun damaged(what: String) =
            UserMessage("the DNG is damaged: it has $what; copy it again from its source")
    }
}
