"""AttnGAN, ControlGAN and DM-GAN: pictures from texts without StyleGAN, by the authors' networks."""
