package org.famobile.core

/** A Bayer pattern by the colours of its 2 x 2 cell, and where red stands in that cell. */
enum class Cfa(val redRow: Int, val redCol: Int) {
    RGGB(0, 0), GRBG(0, 1), GBRG(1, 0), BGGR(1, 1);

    /** Index in R, Gr, Gb, B order of the sample at ([row], [col]) of a mosaic in this pattern. */
    fun plane(row: Int, col: Int): Int = ((row + redRow) and 1) * 2 + ((col + redCol) and 1)

    companion object {
        /**
         * Camera2's SENSOR_INFO_COLOR_FILTER_ARRANGEMENT.
         *
         * @throws UserMessage for what is not one of the four Bayer patterns.
         */
        fun ofCamera2(arrangement: Int?): Cfa = entries.getOrNull(arrangement ?: -1)
            ?: throw UserMessage(
                "this camera's colour filter is ${OTHERS[arrangement] ?: "unknown ($arrangement)"}; " +
                    "allowed are ${entries.joinToString()}: choose another camera",
            )

        /** A pattern by its name in a manifest or table. */
        fun named(name: String): Cfa = entries.find { it.name == name }
            ?: throw UserMessage(
                "colour filter '$name' is not supported; allowed are ${entries.joinToString()}: " +
                    "convert (remosaic) the capture first",
            )

        /** DNG's CFAPattern: 0 red, 1 green, 2 blue, row by row. */
        fun ofDng(cell: List<Int>): Cfa = when (cell) {
            listOf(0, 1, 1, 2) -> RGGB
            listOf(1, 0, 2, 1) -> GRBG
            listOf(1, 2, 0, 1) -> GBRG
            listOf(2, 1, 1, 0) -> BGGR
            else -> throw UserMessage(
                "the DNG's CFAPattern is $cell; allowed are the four Bayer patterns: " +
                    "take a capture of a Bayer sensor",
            )
        }

        private val OTHERS = mapOf(4 to "RGB (not a Bayer mosaic)", 5 to "monochrome", 6 to "near infrared")
    }
}
