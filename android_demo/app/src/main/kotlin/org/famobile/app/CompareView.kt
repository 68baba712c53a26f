package org.famobile.app

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.view.GestureDetector
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.View
import org.famobile.core.Rectangle
import kotlin.math.abs

/** Two pictures of one area of the mosaic, [step] samples to a pixel. */
class Pictures(val before: Bitmap, val after: Bitmap, val area: Rectangle, val step: Int)

/**
 * Before on the left of a line, after on its right. The line is dragged; one finger elsewhere moves the
 * picture, two zoom it. Where samples are larger than pixels, [onDetail] is asked for them one by one.
 */
class CompareView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    /** Asked for the area of the mosaic that is visible at 100 % or more. */
    var onDetail: ((Rectangle) -> Unit)? = null

    private var overview: Pictures? = null
    private var detail: Pictures? = null
    private var degrees = 0
    private val toView = Matrix() // from samples
    private var line = 0.5f
    private var dragsLine = false
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private val sharp = Paint()
    private val stroke = Paint().apply {
        color = Color.WHITE
        strokeWidth = 2 * resources.displayMetrics.density
        textSize = 14 * resources.displayMetrics.density
        setShadowLayer(4f, 0f, 0f, Color.BLACK)
    }

    private val zoom = ScaleGestureDetector(context, object : ScaleGestureDetector.SimpleOnScaleGestureListener() {
        override fun onScale(detector: ScaleGestureDetector): Boolean {
            toView.postScale(detector.scaleFactor, detector.scaleFactor, detector.focusX, detector.focusY)
            invalidate()
            return true
        }
    })

    private val touch = GestureDetector(context, object : GestureDetector.SimpleOnGestureListener() {
        override fun onDown(event: MotionEvent): Boolean {
            dragsLine = abs(event.x - line * width) < 24 * resources.displayMetrics.density
            return true
        }

        override fun onScroll(down: MotionEvent?, event: MotionEvent, dx: Float, dy: Float): Boolean {
            if (dragsLine && event.pointerCount == 1) {
                line = (event.x / width).coerceIn(0f, 1f)
            } else {
                toView.postTranslate(-dx, -dy)
            }
            invalidate()
            return true
        }

        override fun onDoubleTap(event: MotionEvent): Boolean {
            fit()
            return true
        }
    })

    /** Show a whole capture, turned by [degrees] clockwise. */
    fun show(pictures: Pictures?, degrees: Int) {
        overview = pictures
        detail = null
        this.degrees = degrees
        fit()
    }

    /** Samples one by one over the overview. */
    fun showDetail(pictures: Pictures) {
        detail = pictures
        invalidate()
    }

    private fun fit() {
        val area = overview?.area ?: return invalidate()
        toView.reset()
        toView.postTranslate(-area.width / 2f, -area.height / 2f)
        toView.postRotate(degrees.toFloat())
        val turned = degrees % 180 != 0
        val (wide, high) = if (turned) area.height to area.width else area.width to area.height
        val scale = minOf(width / wide.toFloat(), height / high.toFloat())
        toView.postScale(scale, scale)
        toView.postTranslate(width / 2f, height / 2f)
        invalidate()
    }

    override fun onSizeChanged(w: Int, h: Int, oldw: Int, oldh: Int) = fit()

    override fun onTouchEvent(event: MotionEvent): Boolean {
        zoom.onTouchEvent(event)
        touch.onTouchEvent(event)
        if (event.actionMasked == MotionEvent.ACTION_UP) visibleDetail()?.let { onDetail?.invoke(it) }
        return true
    }

    /** The visible samples, even at all sides, where one is a pixel or larger. */
    private fun visibleDetail(): Rectangle? {
        val whole = overview?.area ?: return null
        val inverse = Matrix()
        if (toView.mapRadius(1f) < 1f || !toView.invert(inverse)) return null
        val seen = RectF(0f, 0f, width.toFloat(), height.toFloat()).also { inverse.mapRect(it) }
        fun even(value: Float, most: Int) = (value.toInt() and 1.inv()).coerceIn(0, most and 1.inv())
        val area = Rectangle(
            even(seen.top, whole.height), even(seen.bottom + 2, whole.height),
            even(seen.left, whole.width), even(seen.right + 2, whole.width),
        )
        return area.takeIf { it.height > 0 && it.width > 0 }
    }

    override fun onDraw(canvas: Canvas) {
        val pictures = overview ?: return
        val at = line * width
        side(canvas, 0f, at, pictures) { it.before }
        side(canvas, at, width.toFloat(), pictures) { it.after }
        canvas.drawLine(at, 0f, at, height.toFloat(), stroke)
        val size = stroke.textSize
        canvas.drawText("noisy", size / 2, 1.5f * size, stroke)
        canvas.drawText("denoised", width - 5f * size, 1.5f * size, stroke)
    }

    private fun side(canvas: Canvas, left: Float, right: Float, pictures: Pictures, pick: (Pictures) -> Bitmap) {
        canvas.save()
        canvas.clipRect(left, 0f, right, height.toFloat())
        draw(canvas, pictures, pick(pictures), smooth)
        if (toView.mapRadius(1f) >= 1f) detail?.let { draw(canvas, it, pick(it), sharp) }
        canvas.restore()
    }

    private fun draw(canvas: Canvas, place: Pictures, bitmap: Bitmap, paint: Paint) {
        val matrix = Matrix()
        matrix.postScale(place.step.toFloat(), place.step.toFloat())
        matrix.postTranslate(place.area.left.toFloat(), place.area.top.toFloat())
        matrix.postConcat(toView)
        canvas.drawBitmap(bitmap, matrix, paint)
    }
}
