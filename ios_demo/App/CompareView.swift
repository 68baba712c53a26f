#if canImport(SwiftUI) && canImport(UIKit)
  import Foundation
  import SwiftUI
  import UIKit

  /// Noisy left of the divider, denoised right of it; drag the divider, pinch to zoom, drag to move.
  struct CompareView: View {
    let noisy: UIImage
    let denoised: UIImage?
    @State private var divider = 0.5
    @State private var zoom = 1.0
    @State private var zoomAtStart = 1.0
    @State private var offset = CGSize.zero
    @State private var offsetAtStart = CGSize.zero

    var body: some View {
      VStack {
        GeometryReader { place in
          ZStack {
            layer(noisy)
            if let denoised {
              layer(denoised).mask {
                Rectangle().offset(x: place.size.width * divider)
              }
            }
          }
          .clipped()
          .gesture(pinch.simultaneously(with: move))
        }
        if denoised != nil {
          Slider(value: $divider, in: 0...1)
            .accessibilityLabel("Divider between noisy and denoised")
        }
      }
    }

    private func layer(_ image: UIImage) -> some View {
      Image(uiImage: image)
        .resizable()
        // Noise is seen in single pixels: they are not to be smoothed when zoomed in.
        .interpolation(zoom > 2 ? .none : .medium)
        .scaledToFit()
        .scaleEffect(zoom)
        .offset(x: offset.width, y: offset.height)
    }

    private var pinch: some Gesture {
      MagnifyGesture()
        .onChanged { value in zoom = min(max(zoomAtStart * value.magnification, 1), 32) }
        .onEnded { _ in
          zoomAtStart = zoom
          if zoom == 1 {
            offset = .zero
            offsetAtStart = .zero
          }
        }
    }

    private var move: some Gesture {
      DragGesture()
        .onChanged { value in
          offset = CGSize(
            width: offsetAtStart.width + value.translation.width,
            height: offsetAtStart.height + value.translation.height)
        }
        .onEnded { _ in offsetAtStart = offset }
    }
  }
#endif
