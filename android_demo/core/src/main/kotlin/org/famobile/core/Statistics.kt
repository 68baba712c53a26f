package org.famobile.core

import kotlin.math.floor

/** The middle of [samples], the mean of the two middle ones where their number is even. */
fun median(samples: List<Double>): Double = quantile(samples, 0.5)

/** The 90th percentile, linear between the two nearest order statistics. */
fun p90(samples: List<Double>): Double = quantile(samples, 0.9)

private fun quantile(samples: List<Double>, share: Double): Double {
    require(samples.isNotEmpty()) { "no samples were given" }
    val ordered = samples.sorted()
    val position = share * (ordered.size - 1)
    val low = floor(position).toInt()
    val high = minOf(low + 1, ordered.size - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])
}
