#if canImport(SwiftUI) && canImport(AVFoundation) && canImport(UIKit)
  import AVFoundation
  import SwiftUI
  import UIKit

  /// What the camera sees.
  struct CameraView: UIViewRepresentable {
    let session: AVCaptureSession

    final class Preview: UIView {
      override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }
    }

    func makeUIView(context: Context) -> Preview {
      let view = Preview()
      let layer = view.layer as? AVCaptureVideoPreviewLayer
      layer?.session = session
      layer?.videoGravity = .resizeAspect
      return view
    }

    func updateUIView(_ view: Preview, context: Context) {}
  }
#endif
