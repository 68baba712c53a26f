package org.famobile.core

/**
 * Index of the member that serves shot noise [a]: the number of [edges] that it is not below, in
 * float32 as every artifact compares. Total, monotone, clamped to the ends.
 */
fun selectMember(a: Float, edges: List<Double>): Int = edges.count { a >= it.toFloat() }
